package io.doorbell.virtio;

import java.lang.foreign.MemorySegment;

/** A device that polls a packed virtqueue, works in order, and says so. */
final class PackedDevice implements PlayedDevice {

    private static final int EVENTS_DISABLE = 1 << 16;
    private static final long ID = (long) PackedRing.ID_MASK << PackedRing.ID_SHIFT;

    private final MemorySegment memory;
    private final long ring;
    private final int size;
    private int position;
    private long flags = PackedRing.USED_AT_FIRST;

    PackedDevice(MemorySegment memory, QueueAddresses queue) {
        this.memory = memory;
        ring = queue.descriptorArea();
        size = queue.size();
        Words.INT.setOpaque(memory, queue.deviceArea(), EVENTS_DISABLE);
    }

    @Override
    public void use(int count, int length) {
        final MemorySegment memory = this.memory;
        int position = this.position;
        long flags = this.flags;
        for (int i = 0; i < count; i++) {
            long at = ring + (long) position * PackedRing.DESCRIPTOR + 8;
            long id = (long) Words.LONG.getOpaque(memory, at) & ID;
            Words.LONG.setRelease(memory, at, flags | id | length);
            if (++position == size) {
                position = 0;
                flags ^= PackedRing.FLAGS;
            }
        }
        this.position = position;
        this.flags = flags;
    }
}
