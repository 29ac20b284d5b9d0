package io.doorbell.virtio.warmup;

import io.doorbell.frame.warmup.SimulatedQueue;
import io.doorbell.virtio.queue.PackedRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;

/** A device that polls a packed virtqueue (2.8), and uses each buffer as soon as it takes it. */
final class SimulatedPackedQueue implements SimulatedQueue {

    private static final int EVENTS_ENABLE = 0;
    private static final int EVENTS_DISABLE = 1 << 16;
    private static final int EVENTS_DESC = 2 << 16;
    private static final int EVENT_WRAP = 15;
    /** The flag that the driver leaves as it was used in the round before (2.8.1). */
    private static final long USED = PackedRing.FLAGS & ~PackedRing.AVAILABLE_AT_FIRST;

    private static final long ID = (long) PackedRing.ID_MASK << PackedRing.ID_SHIFT;

    private final MemorySegment memory;
    private final long ring;
    private final long events;
    private final int size;
    private final Features features;
    private final long[] words;
    private int position;
    private long flags = PackedRing.USED_AT_FIRST;

    /** @param memory has the ring, at the addresses of {@code queue} */
    SimulatedPackedQueue(MemorySegment memory, QueueAddresses queue, Features features) {
        this.memory = memory;
        this.ring = queue.descriptorArea() - memory.address();
        this.events = queue.deviceArea() - memory.address();
        this.size = queue.size();
        this.features = features;
        this.words = new long[size];
        enableNotifications(false);
    }

    @Override
    public int available(int most) {
        int count = 0;
        while (count < most && count < size && isAvailable(count)) {
            count++;
        }
        return count;
    }

    private boolean isAvailable(int ahead) {
        long word = (long) LittleEndian.LONG.getAcquire(memory, at(ahead) + 8);
        return (word & PackedRing.FLAGS) == (flags(ahead) ^ USED);
    }

    /** Where a descriptor is, and with which flags it is to be used. */
    private long at(int ahead) {
        int at = position + ahead;
        return ring + (long) (at < size ? at : at - size) * PackedRing.DESCRIPTOR;
    }

    private long flags(int ahead) {
        return position + ahead < size ? flags : flags ^ PackedRing.FLAGS;
    }

    @Override
    public long address(int ahead) {
        return memory.get(LittleEndian.PLAIN_LONG, at(ahead));
    }

    @Override
    public void use(int count, int length) {
        final MemorySegment memory = this.memory;
        int position = this.position;
        long flags = this.flags;
        for (int i = 0; i < count; i++) {
            long at = ring + (long) position * PackedRing.DESCRIPTOR + 8;
            long id = (long) LittleEndian.LONG.getOpaque(memory, at) & ID;
            LittleEndian.LONG.setRelease(memory, at, flags | id | length);
            if (++position == size) {
                position = 0;
                flags ^= PackedRing.FLAGS;
            }
        }
        this.position = position;
        this.flags = flags;
    }

    /** In order, one stands for all that were sent, by the id of the last (2.8.9); else the last one comes first. */
    @Override
    public void useOtherwise(int count, int length) {
        boolean inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        if (inOrder && length > 0) {
            use(count, length);
            return;
        }
        for (int i = 0; i < count; i++) {
            words[i] = (long) LittleEndian.LONG.getOpaque(memory, at(i) + 8) & ID;
        }
        for (int i = inOrder ? count - 1 : 0; i < count; i++) {
            int ahead = inOrder ? 0 : i;
            LittleEndian.LONG.setRelease(
                    memory, at(ahead) + 8, flags(ahead) | words[inOrder ? i : count - 1 - i] | length);
        }
        long next = flags(count);
        position = position + count < size ? position + count : position + count - size;
        flags = next;
    }

    @Override
    public void enableNotifications(boolean on) {
        int wish = EVENTS_DISABLE;
        if (on) {
            wish = EVENTS_ENABLE;
        } else if (features.has(Feature.VIRTIO_F_EVENT_IDX)) {
            // With the descriptor that has been used last: not before the ring has gone round (2.8.14).
            int last = position == 0 ? size - 1 : position - 1;
            boolean wrap = (position == 0) == (flags == 0);
            wish = EVENTS_DESC | last | (wrap ? 1 << EVENT_WRAP : 0);
        }
        LittleEndian.INT.setOpaque(memory, events, wish);
    }
}
