package io.doorbell.dma;

import io.doorbell.DoorbellException;
import java.lang.foreign.MemorySegment;

/**
 * What a device reaches that this process plays itself: its own memory, by its own addresses. For practising a driver
 * without a device. Thread-safe.
 */
public final class LocalDmaSpace implements DmaSpace {

    private final Regions regions = new Regions(this);

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
        return regions.add(memory, memory.address(), pageSize, free);
    }

    /**
     * What the device finds at an address.
     *
     * @return the memory of the region that has it, from there to the region's end
     * @throws DoorbellException when no region has it
     */
    public synchronized MemorySegment at(long deviceAddress) {
        for (DmaRegion region : regions.all()) {
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
        regions.endAll();
    }
}
