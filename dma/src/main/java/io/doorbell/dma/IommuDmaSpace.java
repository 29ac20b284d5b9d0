package io.doorbell.dma;

import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one device reaches behind an IOMMU. */
public final class IommuDmaSpace implements DmaSpace {

    private final Kernel kernel;
    private final IommuMapper mapper;
    private final IovaAllocator addresses;
    private final List<DmaRegion> regions = new ArrayList<>();
    private boolean closed;

    public IommuDmaSpace(IommuMapper mapper) {
        this(Kernel.linux(), mapper);
    }

    /** Over a kernel of the caller's choice, which memory is allocated from. */
    public IommuDmaSpace(Kernel kernel, IommuMapper mapper) {
        this(kernel, mapper, new IovaAllocator(mapper.permitted()));
    }

    private IommuDmaSpace(Kernel kernel, IommuMapper mapper, IovaAllocator addresses) {
        this.kernel = kernel;
        this.mapper = mapper;
        this.addresses = addresses;
    }

    /**
     * A space for another device behind the same IOMMU context: it has regions of its own, which close with it, and
     * takes their addresses from the same pool. The devices reach each other's regions, since to the IOMMU they are one.
     */
    public IommuDmaSpace sibling() {
        return new IommuDmaSpace(kernel, mapper, addresses);
    }

    @Override
    public synchronized DmaRegion allocate(long bytes) {
        requireOpen();
        PinnedMemory memory = PinnedMemory.allocate(kernel, bytes);
        try {
            return map(memory.segment(), memory.pageSize(), memory::close);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    @Override
    public synchronized DmaRegion register(MemorySegment memory) {
        requireOpen();
        long page = mapper.pageSize();
        if (!memory.isNative()) {
            throw new DoorbellException("a device cannot reach the Java heap, which moves: allocate the memory from an"
                    + " Arena, or with DmaSpace.allocate");
        }
        if (memory.byteSize() == 0 || (memory.address() | memory.byteSize()) % page != 0) {
            throw new DoorbellException(String.format(
                    "memory at 0x%x of %d bytes is not made of whole pages, and an IOMMU grants a device whole pages:"
                            + " align its address and its size to %d",
                    memory.address(), memory.byteSize(), page));
        }
        for (DmaRegion region : regions) {
            if (region.segment().asOverlappingSlice(memory).isPresent()) {
                throw new DoorbellException(String.format(
                        "memory at 0x%x of %d bytes is registered already, in part at least, at device address 0x%x:"
                                + " use that region, or close it first",
                        memory.address(), memory.byteSize(), region.deviceAddress()));
            }
        }
        return map(memory, page, () -> {});
    }

    private DmaRegion map(MemorySegment memory, long pageSize, Runnable free) {
        // As well aligned as its pages are, so that the IOMMU can use large pages too.
        long iova = addresses.allocate(memory.byteSize(), Math.max(pageSize, mapper.pageSize()));
        try {
            mapper.map(iova, memory.address(), memory.byteSize());
        } catch (RuntimeException e) {
            addresses.free(iova);
            throw e;
        }
        DmaRegion[] self = new DmaRegion[1];
        self[0] = new DmaRegion(memory, iova, pageSize, () -> unmap(self[0], free));
        regions.add(self[0]);
        return self[0];
    }

    /**
     * First from the device, then from the process: between the two the memory is merely unused. If the IOMMU does not
     * let go, neither the memory nor its address is given to anyone else.
     */
    private synchronized void unmap(DmaRegion region, Runnable free) {
        regions.remove(region);
        mapper.unmap(region.deviceAddress(), region.segment().byteSize());
        addresses.free(region.deviceAddress());
        free.run();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the DMA space is closed");
        }
    }

    /** Closes every region, in the reverse order of their making; a failure does not keep the others open. */
    @Override
    public synchronized void close() {
        closed = true;
        RuntimeException failure = null;
        for (DmaRegion region : List.copyOf(regions).reversed()) {
            failure = closing(region, failure);
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static @Nullable RuntimeException closing(DmaRegion region, @Nullable RuntimeException earlier) {
        try {
            region.close();
            return earlier;
        } catch (RuntimeException e) {
            if (earlier == null) {
                return e;
            }
            earlier.addSuppressed(e);
            return earlier;
        }
    }
}
