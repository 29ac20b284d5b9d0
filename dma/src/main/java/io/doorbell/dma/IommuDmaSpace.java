package io.doorbell.dma;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import java.lang.foreign.MemorySegment;

/** What one device reaches behind an IOMMU. */
public final class IommuDmaSpace implements DmaSpace {

    private final Kernel kernel;
    private final IommuMapper mapper;
    private final IovaAllocator addresses;
    private final Lifetime lifetime;
    private final Regions regions = new Regions(this);
    private boolean closed;

    public IommuDmaSpace(IommuMapper mapper) {
        this(Kernel.linux(), mapper);
    }

    /** Over a kernel of the caller's choice, which memory is allocated from. */
    public IommuDmaSpace(Kernel kernel, IommuMapper mapper) {
        this(kernel, mapper, new IovaAllocator(mapper.permitted()), new Lifetime("the DMA space"));
    }

    private IommuDmaSpace(Kernel kernel, IommuMapper mapper, IovaAllocator addresses, Lifetime lifetime) {
        this.kernel = kernel;
        this.mapper = mapper;
        this.addresses = addresses;
        this.lifetime = lifetime;
    }

    /**
     * A space for another device behind the same IOMMU context: it has regions of its own, which close with it, and
     * takes their addresses from the same pool. The devices reach each other's regions, since to the IOMMU they are one.
     *
     * @param device that of the other device, with which the space ends
     */
    public IommuDmaSpace sibling(Lifetime device) {
        return new IommuDmaSpace(kernel, mapper, addresses, device);
    }

    @Override
    public synchronized DmaRegion allocate(long bytes) {
        requireOpen();
        PinnedMemory memory = PinnedMemory.allocate(kernel, bytes);
        return Cleanup.onFailure(memory::close, () -> map(memory.segment(), memory.pageSize(), memory::close));
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
        for (DmaRegion region : regions.all()) {
            if (region.segment().asOverlappingSlice(memory).isPresent()) {
                throw new DoorbellException(String.format(
                        "memory at 0x%x of %d bytes is registered already, in part at least, at device address 0x%x:"
                                + " use that region, or close it first",
                        memory.address(), memory.byteSize(), region.deviceAddress()));
            }
        }
        long pageSize =
                PinnedMemory.containing(memory).map(PinnedMemory::pageSize).orElse(page);
        return map(memory, pageSize, () -> {});
    }

    private DmaRegion map(MemorySegment memory, long pageSize, Runnable free) {
        // As well aligned as its pages are, so that the IOMMU can use large pages too. What starts within a page has
        // none to gain.
        long alignment = memory.address() % pageSize == 0 ? Math.max(pageSize, mapper.pageSize()) : mapper.pageSize();
        long size = memory.byteSize();
        long iova = addresses.allocate(size, alignment);
        try {
            mapper.map(iova, memory.address(), size);
        } catch (Throwable e) {
            addresses.free(iova);
            throw e;
        }
        return regions.add(memory, iova, pageSize, () -> unmap(iova, size, free));
    }

    /**
     * First from the device, then from the process: between the two the memory is merely unused. If the IOMMU does not
     * let go, neither the memory nor its address is given to anyone else.
     */
    private void unmap(long iova, long size, Runnable free) {
        mapper.unmap(iova, size);
        addresses.free(iova);
        free.run();
    }

    private void requireOpen() {
        if (closed) {
            throw lifetime.over();
        }
    }

    /** Closes every region, in the reverse order of their making; a failure does not keep the others open. */
    @Override
    public synchronized void close() {
        closed = true;
        lifetime.end();
        regions.endAll();
    }
}
