package io.doorbell.dma;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What a device reaches that no IOMMU stands in front of: all memory, by physical addresses. Regions are made of
 * hugepages, which the kernel neither swaps nor moves. Where one does not do, several must happen to lie next to each other.
 *
 * <p>Nothing keeps the device to its regions: see who uses this, and warn likewise.
 */
public final class PhysicalDmaSpace implements DmaSpace {

    /** What a frame of ordinary size fits, for a message. */
    private static final int BUFFER = 2304;

    private final Kernel kernel;
    private final Lifetime lifetime;
    private final Regions regions = new Regions(this);
    private boolean closed;

    /** @param device that of the device, with which the space ends */
    public PhysicalDmaSpace(Kernel kernel, Lifetime device) {
        this.kernel = kernel;
        this.lifetime = device;
    }

    @Override
    public synchronized DmaRegion allocate(long bytes) {
        requireOpen();
        PinnedMemory memory = PinnedMemory.allocate(kernel, bytes);
        return Cleanup.onFailure(memory::close, () -> region(memory.segment(), memory, memory::close));
    }

    @Override
    public synchronized DmaRegion register(MemorySegment memory) {
        requireOpen();
        PinnedMemory owner = PinnedMemory.containing(memory)
                .orElseThrow(() -> new DoorbellException("a device without an IOMMU reaches hugepages only, since other"
                        + " memory moves: allocate it with FramePool.create or DmaSpace.allocate"));
        return region(memory, owner, () -> {});
    }

    private DmaRegion region(MemorySegment memory, PinnedMemory owner, Runnable free) {
        if (owner.pageSize() != HugePages.SIZE) {
            throw new DoorbellException("no hugepages are free ("
                    + owner.whyOrdinaryPages().orElse("") + "), and a device without an IOMMU reaches those only, since"
                    + " ordinary pages move: reserve some with 'sysctl vm.nr_hugepages=64' as root");
        }
        return regions.add(memory, physicalAddress(memory), HugePages.SIZE, free);
    }

    /** Of memory that lies in one piece; that is looked up once a hugepage. */
    private long physicalAddress(MemorySegment memory) {
        List<Long> pages = new ArrayList<>();
        try (PageMap map = PageMap.open(kernel)) {
            for (long offset = 0; offset < memory.byteSize(); offset += HugePages.SIZE) {
                pages.add(map.physicalAddress(memory.address() + offset));
            }
        }
        for (int i = 1; i < pages.size(); i++) {
            if (pages.get(i) - pages.get(i - 1) != HugePages.SIZE) {
                throw new DoorbellException(String.format(
                        "%d bytes are needed in one piece of physical memory, and the hugepages that the kernel gave do"
                                + " not lie next to each other, but at %s: use memory of at most 2 MiB, one page, such as"
                                + " a pool for NicConfig.withPool of 800 buffers of %d bytes, and rings of 256 descriptors"
                                + " (NicConfig.withRingSizes)",
                        memory.byteSize(), pages.stream().map(Long::toHexString).toList(), BUFFER));
            }
        }
        return pages.getFirst();
    }

    private void requireOpen() {
        if (closed) {
            throw lifetime.over();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        lifetime.end();
        regions.endAll();
    }
}
