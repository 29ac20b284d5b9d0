package io.doorbell.virtio.warmup;

import io.doorbell.frame.warmup.SimulatedQueue;
import io.doorbell.virtio.queue.SplitRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;

/** A device that polls a split virtqueue (2.7), and uses each buffer as soon as it takes it. */
final class SimulatedSplitQueue implements SimulatedQueue {

    private static final short NO_NOTIFY = 1;

    private final MemorySegment memory;
    private final long descriptors;
    private final long available;
    private final long used;
    private final int size;
    private final int mask;
    private final Features features;
    private final int[] ids;
    private int index;

    /** @param memory has the ring, at the addresses of {@code queue} */
    SimulatedSplitQueue(MemorySegment memory, QueueAddresses queue, Features features) {
        this.memory = memory;
        this.descriptors = queue.descriptorArea() - memory.address();
        this.available = queue.driverArea() - memory.address();
        this.used = queue.deviceArea() - memory.address();
        this.size = queue.size();
        this.mask = size - 1;
        this.features = features;
        this.ids = new int[size];
        enableNotifications(false);
    }

    @Override
    public int available(int most) {
        return Math.min(most, ((short) LittleEndian.SHORT.getAcquire(memory, available + 2) - index) & 0xffff);
    }

    @Override
    public long address(int ahead) {
        return memory.get(LittleEndian.PLAIN_LONG, descriptors + (long) SplitRing.DESCRIPTOR * id(index + ahead));
    }

    private int id(int index) {
        return (short) LittleEndian.SHORT.getOpaque(memory, available + 4 + 2L * (index & mask)) & 0xffff;
    }

    @Override
    public void use(int count, int length) {
        for (int i = 0; i < count; i++) {
            put(i, id(index + i), length);
        }
        publish(count);
    }

    /** In order, the index alone says which were sent (2.7.9); else the last one comes first. */
    @Override
    public void useOtherwise(int count, int length) {
        if (features.has(Feature.VIRTIO_F_IN_ORDER)) {
            if (length > 0) {
                use(count, length);
            } else {
                publish(count);
            }
            return;
        }
        for (int i = 0; i < count; i++) {
            ids[i] = id(index + i);
        }
        for (int i = 0; i < count; i++) {
            put(i, ids[count - 1 - i], length);
        }
        publish(count);
    }

    private void put(int ahead, int id, int length) {
        memory.set(LittleEndian.PLAIN_LONG, used + 4 + 8L * ((index + ahead) & mask), id | (long) length << 32);
    }

    private void publish(int count) {
        index += count;
        LittleEndian.SHORT.setRelease(memory, used + 2, (short) index);
    }

    @Override
    public void enableNotifications(boolean on) {
        LittleEndian.SHORT.setOpaque(memory, used, on ? 0 : NO_NOTIFY);
        if (features.has(Feature.VIRTIO_F_EVENT_IDX)) {
            // With the next buffer, or with one that will be long in coming (2.7.10).
            int event = (short) LittleEndian.SHORT.getOpaque(memory, available + 2) - (on ? 0 : 1);
            LittleEndian.SHORT.setOpaque(memory, used + 4 + 8L * size, (short) event);
        }
    }
}
