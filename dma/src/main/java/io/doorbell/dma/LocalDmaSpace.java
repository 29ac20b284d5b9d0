package io.doorbell.dma;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a device reaches that this process plays itself: its own memory, by its own addresses. For practising a driver
 * without a device. Thread-safe.
 */
public final class LocalDmaSpace implements DmaSpace {

    private final Set<DmaRegion> regions = new LinkedHashSet<>();

    /** Makes a space without regions. */
    public LocalDmaSpace() {}

    @Override
    public DmaRegion allocate(long bytes) {
        PinnedMemory memory = PinnedMemory.allocate(bytes);
        return region(memory.segment(), memory.pageSize(), memory::close);
    }

    @Override
    public DmaRegion register(MemorySegment memory) {
        PinnedMemory pinned = PinnedMemory.containing(memory)
                .orElseThrow(() -> new DoorbellException(String.format(
                        "memory at 0x%x of %d bytes is not pinned: take it from FramePool.create or"
                                + " PinnedMemory.allocate",
                        memory.address(), memory.byteSize())));
        return region(memory, pinned.pageSize(), () -> {});
    }

    private synchronized DmaRegion region(MemorySegment memory, long pageSize, Runnable free) {
        DmaRegion[] self = new DmaRegion[1];
        self[0] = new DmaRegion(memory, memory.address(), pageSize, () -> release(self[0], free));
        regions.add(self[0]);
        return self[0];
    }

    private synchronized void release(DmaRegion region, Runnable free) {
        regions.remove(region);
        free.run();
    }

    /**
     * What the device finds at an address.
     *
     * @return the memory of the region that has it, from there to the region's end
     * @throws DoorbellException when no region has it
     */
    public synchronized MemorySegment at(long deviceAddress) {
        for (DmaRegion region : regions) {
            long offset = deviceAddress - region.deviceAddress();
            if (offset >= 0 && offset < region.segment().byteSize()) {
                return region.segment().asSlice(offset);
            }
        }
        throw new DoorbellException(
                "no memory of this space is at device address 0x" + Long.toHexString(deviceAddress));
    }

    @Override
    public synchronized void close() {
        List.copyOf(regions).reversed().forEach(DmaRegion::close);
    }
}
