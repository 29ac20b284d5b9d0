package io.doorbell.virtio;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;

/**
 * A transmit queue over a {@link SplitRing}: one descriptor a frame, header included.
 *
 * <p>Descriptors from {@code used} to {@code available} are the device's, or sent and not taken back yet; the others are
 * free.
 */
final class SplitTxQueue implements VirtioTxQueue {

    private final String name;
    private final SplitRing ring;
    private final TxFrames frames;
    private final TxBuffers buffers;
    private final boolean inOrder;
    private final int lowWater;
    private final QueueCounters counters;
    private final DeviceHealth health;
    private int available;
    private int used;
    private int idle;
    private boolean running;

    SplitTxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            TxFrames frames,
            QueueCounters counters,
            DeviceHealth health) {
        this.name = name;
        this.ring = new SplitRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.frames = frames;
        this.buffers = new TxBuffers(size, frames);
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.lowWater = size / 4;
        this.counters = counters;
        this.health = health;
    }

    @Override
    public int send(FrameBatch batch) {
        if (!running) {
            throw new IllegalStateException(name + " is stopped");
        }
        if (free() < Math.max(lowWater, batch.size())) {
            reclaim();
        }
        final int count = Math.min(batch.size(), free());
        if (count == 0) {
            return nothing(batch);
        }
        final SplitRing ring = this.ring;
        final int mask = ring.mask;
        final int first = available;
        final int header = frames.header;
        int index = first;
        long bytes = 0;
        try {
            for (int i = 0; i < count; i++) {
                Frame frame = batch.frame(i);
                long address = frames.prepare(frame);
                int length = frame.length();
                int id = ring.ids[index & mask];
                ring.setDescriptorAddress(id, address);
                ring.setDescriptorRest(id, header + length);
                buffers.put(id, frame.buffer(), frames.slot());
                bytes += length;
                index++;
            }
        } catch (RuntimeException e) {
            withdraw(first, index);
            throw e;
        }
        batch.detach(count);
        available = index;
        counters.frames += count;
        counters.bytes += bytes;
        ring.publish(index);
        return count;
    }

    @Override
    public int reclaim() {
        final int done = running ? ring.usedSince(used) : 0;
        if (done > available - used) {
            throw broken("the device says that it used " + done + " buffers, and it has " + (available - used));
        }
        if (done > 0) {
            if (inOrder) {
                // The index alone says which: the device need not even have written the entries (2.7.9).
                buffers.give(used & ring.mask, done);
                used += done;
            } else {
                takeBack(done);
            }
            ring.deferInterrupts(used);
        }
        return available - used;
    }

    private void takeBack(int done) {
        final SplitRing ring = this.ring;
        final int mask = ring.mask;
        final int end = used + done;
        try {
            for (int index = used; index != end; index++) {
                int position = index & mask;
                int id = ring.usedId(position);
                if (id < 0 || id > mask || !buffers.has(id)) {
                    throw broken("used entry " + position + " says buffer " + Integer.toUnsignedString(id)
                            + "; possible are buffers that the device has (" + (available - index) + " of 0 to " + mask
                            + ")");
                }
                if (ring.ids[position] != id) {
                    ring.reorder(position, id);
                }
                buffers.collect(id);
                used = index + 1;
            }
        } finally {
            buffers.giveCollected();
        }
    }

    private int nothing(FrameBatch batch) {
        if (!batch.isEmpty() && ++idle == RxBuffers.PATIENCE) {
            idle = 0;
            health.check();
        }
        return 0;
    }

    private int free() {
        return ring.size - (available - used);
    }

    private void withdraw(int first, int end) {
        for (int index = first; index != end; index++) {
            buffers.remove(ring.ids[index & ring.mask]);
        }
    }

    private BrokenDeviceException broken(String what) {
        running = false;
        return new BrokenDeviceException(name + ": " + what + "; the queue has stopped");
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        available = 0;
        used = 0;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        buffers.giveAll();
        used = available;
    }

    @Override
    public QueueCounters counters() {
        return counters;
    }
}
