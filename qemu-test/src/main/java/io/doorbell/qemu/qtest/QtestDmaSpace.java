package io.doorbell.qemu.qtest;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What a device reaches in a machine without a guest: all of its RAM, there being no IOMMU to forbid any. */
final class QtestDmaSpace implements DmaSpace {

    private final QtestMemory memory;
    private final Set<DmaRegion> regions = new LinkedHashSet<>();
    private boolean closed;

    QtestDmaSpace(QtestMemory memory) {
        this.memory = memory;
    }

    @Override
    public DmaRegion allocate(long bytes) {
        MemorySegment segment = memory.allocate(bytes);
        return region(segment, () -> memory.free(segment));
    }

    @Override
    public DmaRegion register(MemorySegment segment) {
        if (!memory.contains(segment)) {
            throw new DoorbellException("QEMU's device reaches the machine's RAM and nothing else: take memory to"
                    + " register from QtestMachine.allocate");
        }
        long address = memory.addressOf(segment);
        if (segment.byteSize() == 0 || (address | segment.byteSize()) % QtestMemory.PAGE != 0) {
            throw new DoorbellException(String.format(
                    "memory at 0x%x of %d bytes is not made of whole pages of %d",
                    address, segment.byteSize(), QtestMemory.PAGE));
        }
        return region(segment, () -> {});
    }

    private synchronized DmaRegion region(MemorySegment segment, Runnable free) {
        if (closed) {
            free.run();
            throw new IllegalStateException("the DMA space is closed");
        }
        DmaRegion[] self = new DmaRegion[1];
        self[0] = new DmaRegion(segment, memory.addressOf(segment), QtestMemory.PAGE, () -> release(self[0], free));
        regions.add(self[0]);
        return self[0];
    }

    private synchronized void release(DmaRegion region, Runnable free) {
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
