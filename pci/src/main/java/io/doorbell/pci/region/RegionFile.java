package io.doorbell.pci.region;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A region by way of its file: a system call an access, which the kernel performs whole. For configuration
 * space, and for those parts of a BAR that cannot be mapped. Thread-safe.
 */
public final class RegionFile implements AutoCloseable {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Kernel kernel;
    private final int fd;
    private final Region region;
    private final Lifetime function;
    private final MemorySegment value = Arena.ofAuto().allocate(Integer.BYTES, Integer.BYTES);
    private boolean closed;

    /**
     * Over a file that stays the caller's.
     *
     * @param function that of the function which the region is a part of
     */
    public RegionFile(Kernel kernel, int fd, Region region, Lifetime function) {
        this.kernel = kernel;
        this.fd = fd;
        this.region = region;
        this.function = function;
    }

    /** In bytes. */
    public long size() {
        return region.size();
    }

    /** Reads 1, 2 or 4 bytes, unsigned up to 2. */
    public synchronized int read(long offset, int width) {
        check(offset, width);
        value.set(INT, 0, 0);
        kernel.pread(fd, value.asSlice(0, width), region.offset() + offset);
        return value.get(INT, 0);
    }

    /** Writes the low 1, 2 or 4 bytes of {@code bits}. */
    public synchronized void write(long offset, int width, int bits) {
        check(offset, width);
        value.set(INT, 0, bits);
        kernel.pwrite(fd, value.asSlice(0, width), region.offset() + offset);
    }

    private void check(long offset, int width) {
        if (closed) {
            // The descriptor may be another file's by now.
            throw closed();
        }
        if (offset < 0 || offset > region.size() - width) {
            throw new IndexOutOfBoundsException(String.format(
                    "%d bytes at offset 0x%x of region %d, which has 0x%x",
                    width, offset, region.index(), region.size()));
        }
        if (offset % width != 0) {
            throw new IllegalArgumentException(
                    String.format("offset 0x%x is not aligned to an access of %d bytes", offset, width));
        }
    }

    /** What whoever uses the region after its end gets. */
    IllegalStateException closed() {
        return function.over();
    }

    /** Ends all access; the file stays open. */
    @Override
    public synchronized void close() {
        closed = true;
    }
}
