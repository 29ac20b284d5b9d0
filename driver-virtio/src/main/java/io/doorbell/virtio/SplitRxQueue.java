package io.doorbell.virtio;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;

/**
 * A receive queue over a {@link SplitRing}: one buffer a descriptor, header and frame in one piece. A frame that is too
 * long for that takes several buffers, which the device uses together.
 *
 * <p>Descriptors from {@code used} to {@code available} are the device's, or filled and not looked at yet; the others
 * wait for a fresh buffer.
 */
final class SplitRxQueue implements VirtioRxQueue {

    private static final int NONE = -1;
    private static final int ENTRIES = 64;

    private final String name;
    private final SplitRing ring;
    private final RxBuffers source;
    private final RxFrames frames;
    private final FramePool pool;
    private final int largest;
    private final int header;
    private final boolean inOrder;
    private final QueueCounters counters;
    private final DeviceHealth health;

    /** The buffer of each descriptor that the device has; else {@link #NONE}. */
    private final int[] buffers;

    private final int[] fresh;

    // What was read of used entries, and what it says.
    private final long[] entries = new long[ENTRIES];
    private final int[] taken = new int[ENTRIES];
    private final int[] lengths = new int[ENTRIES];

    private int available;
    private int used;
    private int idle;
    private boolean running;

    SplitRxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            RxBuffers source,
            QueueCounters counters,
            DeviceHealth health) {
        this.name = name;
        this.ring = new SplitRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.source = source;
        this.frames = new RxFrames(source, size, OffloadSide.DRIVER, features, counters);
        this.pool = source.pool();
        this.largest = source.largest();
        this.header = source.header();
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.counters = counters;
        this.health = health;
        this.buffers = new int[size];
        this.fresh = new int[RxBuffers.bulk(size)];
    }

    /** As {@link RxQueue#receive}; when it throws, what had arrived before is in the batch. */
    @Override
    public int receive(FrameBatch batch) {
        if (!running) {
            throw new IllegalStateException(name + " is stopped");
        }
        final int held = batch.size();
        int left = done(used);
        while (left > 0 && batch.room() > 0) {
            int position = used & ring.mask;
            int count = Math.min(Math.min(left, batch.room()), Math.min(entries.length, ring.size - position));
            ring.readUsed(position, count, entries);
            int taken = take(batch, count, left);
            if (taken == 0) {
                break;
            }
            left -= taken;
        }
        if (unarmed() >= fresh.length) {
            rearm();
        }
        if (batch.size() == held) {
            nothing();
        }
        return batch.size() - held;
    }

    /**
     * Takes frames whose used entries have been read, up to one that is not plain, and that one.
     *
     * @param left used buffers that have not been looked at
     * @return how many have been now; 0 when the batch has too little room for the next frame
     */
    private int take(FrameBatch batch, int count, int left) {
        final int first = used;
        int plain = 0;
        try {
            while (plain < count && accept(first + plain, plain)) {
                plain++;
            }
        } finally {
            // Also when a later one is a lie.
            batch.append(pool, taken, FramePool.HEADROOM, lengths, plain);
            used = first + plain;
            count(plain);
        }
        if (plain == count) {
            return plain;
        }
        int parts = receiveOther(batch, used, left - plain, frames.buffers(buffers[(int) entries[plain]]));
        return parts == 0 ? plain : plain + parts;
    }

    /** Checks what the device wrote of a frame; returns false when the frame is not plain. */
    private boolean accept(int index, int at) {
        int id = (int) entries[at];
        int length = (int) (entries[at] >>> Integer.SIZE) - header;
        int buffer;
        if (id < 0 || id >= buffers.length || (buffer = buffers[id]) == NONE || length <= 0 || length > largest) {
            throw lie(index, id, length + header, header + 1, header + largest);
        }
        if (frames.looks && !frames.isPlain(buffer)) {
            return false;
        }
        if (ring.ids[index & ring.mask] != id) {
            reorder(index, id);
        }
        buffers[id] = NONE;
        taken[at] = buffer;
        lengths[at] = length;
        return true;
    }

    private void count(int plain) {
        long bytes = 0;
        for (int i = 0; i < plain; i++) {
            bytes += lengths[i];
        }
        counters.frames += plain;
        counters.bytes += bytes;
    }

    /**
     * Takes a frame that is in several buffers or has a header that says something.
     *
     * @param left used buffers that have not been looked at, its own among them
     * @param parts how many of them are its own, as the device says
     * @return that many; 0 when the batch has too little room for it at present
     */
    private int receiveOther(FrameBatch batch, int index, int left, int parts) {
        if (parts < 1 || parts > left) {
            throw broken("used entry " + (index & ring.mask) + " starts a frame in " + parts
                    + " buffers; the device has used " + left + ", and uses all of a frame's together");
        }
        if (parts > batch.room() && parts <= batch.capacity()) {
            return 0;
        }
        try {
            for (int i = 0; i < parts; i++) {
                receivePart(index + i);
            }
        } catch (BrokenDeviceException e) {
            frames.abandon();
            throw e;
        }
        frames.deliver(batch);
        return parts;
    }

    private void receivePart(int index) {
        int position = index & ring.mask;
        int id = ring.usedId(position);
        int before = frames.notFrame();
        int length = ring.usedLength(position) - before;
        int most = header + largest - before;
        int buffer;
        if (id < 0 || id > ring.mask || (buffer = buffers[id]) == NONE || length <= 0 || length > most) {
            throw lie(index, id, length + before, before + 1, before + most);
        }
        if (ring.ids[position] != id) {
            reorder(index, id);
        }
        buffers[id] = NONE;
        used = index + 1;
        frames.add(buffer, length);
    }

    /** How many buffers the device has filled that have not been looked at. */
    private int done(int first) {
        int done = ring.usedSince(first);
        if (done > available - first) {
            throw broken("the device says that it used " + done + " buffers, and it has " + (available - first));
        }
        return done;
    }

    private void nothing() {
        if (++idle == RxBuffers.PATIENCE) {
            idle = 0;
            health.check();
        }
    }

    private int unarmed() {
        return ring.size - (available - used);
    }

    /** Arms all free descriptors, or as many as the pool has buffers for, and publishes them together. */
    private void rearm() {
        final SplitRing ring = this.ring;
        int index = available;
        int missing = unarmed();
        int taken;
        do {
            taken = pool.take(fresh, 0, Math.min(missing, fresh.length));
            for (int i = 0; i < taken; i++) {
                int id = ring.ids[index & ring.mask];
                buffers[id] = fresh[i];
                // The rest of the descriptor is the same for ever.
                ring.setDescriptorAddress(id, source.deviceAddress(fresh[i]));
                index++;
            }
            missing -= taken;
        } while (taken == fresh.length && missing > 0);
        if (index != available) {
            available = index;
            ring.deferInterrupts(used);
            ring.publish(index);
        }
    }

    private void reorder(int index, int id) {
        if (inOrder) {
            throw broken("the device used buffer " + id + " before buffer " + ring.ids[index & ring.mask]
                    + ", although it promised to work in order (" + Feature.VIRTIO_F_IN_ORDER + ")");
        }
        ring.reorder(index & ring.mask, id);
    }

    private BrokenDeviceException lie(int index, int id, int bytes, int least, int most) {
        return broken("used entry " + (index & ring.mask) + " says buffer " + Integer.toUnsignedString(id) + " and "
                + Integer.toUnsignedString(bytes) + " bytes; possible are buffers that the device has ("
                + (available - index) + " of 0 to " + ring.mask + ") and " + least + " to " + most + " bytes");
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
        for (int id = 0; id < ring.size; id++) {
            buffers[id] = NONE;
            ring.setDescriptorRest(id, SplitRing.WRITE | (header + largest));
        }
        available = 0;
        used = 0;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
        running = true;
        rearm();
    }

    @Override
    public void stop() {
        running = false;
        for (int id = 0; id < buffers.length; id++) {
            if (buffers[id] != NONE) {
                pool.give(buffers, id, 1);
                buffers[id] = NONE;
            }
        }
        used = available;
    }

    @Override
    public FramePool pool() {
        return pool;
    }

    @Override
    public QueueCounters counters() {
        return counters;
    }
}
