package io.doorbell.virtio;

import java.lang.foreign.MemorySegment;

/** A device that polls a split virtqueue and works in order. */
final class SplitDevice implements PlayedDevice {

    private static final short NO_NOTIFY = 1;

    private final MemorySegment memory;
    private final long available;
    private final long used;
    private final int mask;
    private int index;

    SplitDevice(MemorySegment memory, QueueAddresses queue) {
        this.memory = memory;
        available = queue.driverArea();
        used = queue.deviceArea();
        mask = queue.size() - 1;
        Words.SHORT.setOpaque(memory, used, NO_NOTIFY);
    }

    @Override
    public void use(int count, int length) {
        final MemorySegment memory = this.memory;
        int index = this.index;
        for (int i = 0; i < count; i++, index++) {
            int position = index & mask;
            long id = (short) Words.SHORT.getOpaque(memory, available + 4 + 2L * position) & 0xffffL;
            memory.set(Words.PLAIN_LONG, used + 4 + 8L * position, id | (long) length << 32);
        }
        this.index = index;
        Words.SHORT.setRelease(memory, used + 2, (short) index);
    }
}
