package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.PinnedMemory;
import java.lang.foreign.MemorySegment;

/** Memory of a device that lives in this process: a device address is an offset into {@link #segment}. */
final class TestMemory implements DmaSpace {

    private static final long PAGE = 4096;

    private final PinnedMemory memory;
    private long next = PAGE;

    TestMemory(long bytes) {
        memory = PinnedMemory.allocate(bytes);
    }

    MemorySegment segment() {
        return memory.segment();
    }

    @Override
    public DmaRegion allocate(long bytes) {
        long size = (bytes + PAGE - 1) & -PAGE;
        DmaRegion region = new DmaRegion(segment().asSlice(next, size), next, PAGE, () -> {});
        next += size;
        return region;
    }

    @Override
    public DmaRegion register(MemorySegment foreign) {
        throw new UnsupportedOperationException("a device of a test reaches the memory of that test only");
    }

    @Override
    public void close() {
        memory.close();
    }
}
