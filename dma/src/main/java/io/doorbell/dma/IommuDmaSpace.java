package io.doorbell.dma;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What the devices behind one IOMMU context reach. */
public final class IommuDmaSpace implements DmaSpace {

    private final IommuMapper mapper;
    private final IovaAllocator addresses;
    private final List<DmaRegion> regions = new ArrayList<>();
    private boolean closed;

    public IommuDmaSpace(IommuMapper mapper) {
        this.mapper = mapper;
        this.addresses = new IovaAllocator(mapper.permitted());
    }

    @Override
    public synchronized DmaRegion allocate(long bytes) {
        PinnedMemory memory = PinnedMemory.allocate(bytes);
        try {
            return map(memory.segment(), memory.pageSize(), memory::close);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    @Override
    public synchronized DmaRegion register(MemorySegment memory) {
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
        return map(memory, page, () -> {});
    }

    private DmaRegion map(MemorySegment memory, long pageSize, Runnable free) {
        if (closed) {
            throw new IllegalStateException("the DMA space is closed");
        }
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

    /** First from the device, then from the process: between the two the memory is merely unused. */
    private synchronized void unmap(DmaRegion region, Runnable free) {
        mapper.unmap(region.deviceAddress(), region.segment().byteSize());
        addresses.free(region.deviceAddress());
        regions.remove(region);
        free.run();
    }

    @Override
    public synchronized void close() {
        closed = true;
        for (DmaRegion region : List.copyOf(regions)) {
            region.close();
        }
    }
}
