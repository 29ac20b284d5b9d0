package io.doorbell.pci.region;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.dma.kernel.Mapping;
import io.doorbell.pci.Bar;
import io.doorbell.pci.region.Region.Area;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A BAR whose largest mappable area is mapped: an access there is one compare and one {@code mov}, and this is the path
 * of every doorbell. What lies outside it goes through the file, at the price of a system call.
 *
 * <p>An access while another thread closes the BAR happens before or is refused: the JVM unmaps the memory of a shared
 * arena only when no thread is within an access.
 *
 * <p>Every access is one VarHandle operation of exactly the register's width, in the interpreter too: opaque and release
 * accesses are never split, merged or repeated. See {@link Bar} for why they order enough.
 */
public final class RegionBar extends Bar implements AutoCloseable {

    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle SHORT =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final RegionFile file;
    private final @Nullable Mapping mapping;

    /** The mapped area: where it starts in the BAR, how long it is (0: nothing is mapped), and its memory. */
    private final long first;

    private final long length;
    private final MemorySegment mapped;

    private RegionBar(RegionFile file, @Nullable Mapping mapping, long first) {
        this.file = file;
        this.mapping = mapping;
        this.first = first;
        this.mapped = mapping == null ? MemorySegment.NULL : mapping.segment();
        this.length = mapped.byteSize();
    }

    /**
     * Maps what can be mapped.
     *
     * @param device the file that the region is in, which stays the caller's
     * @param function that of the function which the BAR is a part of
     */
    public static RegionBar open(Kernel kernel, int device, Region region, Lifetime function) {
        RegionFile file = new RegionFile(kernel, device, region, function);
        Optional<Area> area = region.mappable().stream().max(Comparator.comparingLong(Area::size));
        if (area.isEmpty()) {
            return new RegionBar(file, null, 0);
        }
        long start = area.get().start();
        Mapping mapping = Mapping.shared(kernel, area.get().size(), 0, device, region.offset() + start);
        return new RegionBar(file, mapping, start);
    }

    @Override
    public long size() {
        return file.size();
    }

    @Override
    public int read8(long offset) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                return (byte) BYTE.getOpaque(mapped, at) & 0xff;
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        }
        return file.read(offset, 1);
    }

    @Override
    public int read16(long offset) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                return (short) SHORT.getOpaque(mapped, at) & 0xffff;
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        }
        return file.read(offset, 2);
    }

    @Override
    public int read32(long offset) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                return (int) INT.getOpaque(mapped, at);
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        }
        return file.read(offset, 4);
    }

    @Override
    public void write8(long offset, int value) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                BYTE.setRelease(mapped, at, (byte) value);
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        } else {
            file.write(offset, 1, value);
        }
    }

    @Override
    public void write16(long offset, int value) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                SHORT.setRelease(mapped, at, (short) value);
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        } else {
            file.write(offset, 2, value);
        }
    }

    @Override
    public void write32(long offset, int value) {
        long at = offset - first;
        if (Long.compareUnsigned(at, length) < 0) {
            try {
                INT.setRelease(mapped, at, value);
            } catch (IllegalStateException unmapped) {
                throw tooLate(unmapped);
            }
        } else {
            file.write(offset, 4, value);
        }
    }

    /** The JDK's own message says only that something is closed. */
    private IllegalStateException tooLate(IllegalStateException unmapped) {
        IllegalStateException closed = file.closed();
        closed.initCause(unmapped);
        return closed;
    }

    /** Unmaps the BAR; an access is an {@link IllegalStateException} from then on. */
    @Override
    public void close() {
        file.close();
        if (mapping != null) {
            mapping.close();
        }
    }
}
