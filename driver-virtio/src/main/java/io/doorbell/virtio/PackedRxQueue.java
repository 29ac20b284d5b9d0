package io.doorbell.virtio;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import java.util.Arrays;

/**
 * A receive queue over a {@link PackedRing}: one buffer a descriptor, header and frame in one piece. A frame that is too
 * long for that takes several buffers, which the device uses together.
 *
 * <p>Going round the ring, the {@code armed} descriptors before {@code arm}, from {@code next} on, are the device's, or
 * filled and not looked at yet; the others wait for a fresh buffer.
 */
final class PackedRxQueue implements VirtioRxQueue {

    private static final int NONE = -1;

    private final String name;
    private final PackedRing ring;
    private final RxBuffers source;
    private final RxFrames frames;
    private final FramePool pool;
    private final int largest;
    private final int header;
    private final boolean inOrder;
    private final QueueCounters counters;
    private final DeviceHealth health;

    /** The buffer behind each id that the device has; else {@link #NONE}. */
    private final int[] buffers;

    private final int[] fresh;
    private int next;
    private long usedFlags;
    private int arm;
    private long availableFlags;
    private int armed;
    private int idle;
    private boolean running;

    PackedRxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            RxBuffers source,
            QueueCounters counters,
            DeviceHealth health) {
        this.name = name;
        this.ring = new PackedRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
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
        final PackedRing ring = this.ring;
        final int size = ring.size;
        final int held = batch.size();
        final int most = Math.min(armed, batch.room());
        final boolean looks = frames.looks;
        long usedFlags = this.usedFlags;
        int position = next;
        int taken = 0;
        int plain = 0;
        long bytes = 0;
        try {
            while (taken < most) {
                long word = ring.word(position);
                if ((word & PackedRing.FLAGS) != usedFlags) {
                    break;
                }
                int id = (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
                int length = (int) word - header;
                int buffer;
                if (id >= size || (buffer = buffers[id]) == NONE || length <= 0 || length > largest) {
                    throw lie(position, word, armed - taken, header + 1, header + largest);
                }
                int parts = 1;
                if (looks && !frames.isPlain(buffer)) {
                    parts = receiveOther(batch, position, usedFlags, armed - taken, frames.buffers(buffer));
                    if (parts == 0) {
                        break;
                    }
                } else {
                    if (ring.ids[position] != id) {
                        reorder(position, id);
                    }
                    buffers[id] = NONE;
                    batch.append(pool, buffer, FramePool.HEADROOM, length);
                    bytes += length;
                    plain++;
                }
                taken += parts;
                position += parts;
                if (position >= size) {
                    position -= size;
                    usedFlags ^= PackedRing.FLAGS;
                }
            }
        } finally {
            next = position;
            this.usedFlags = usedFlags;
            armed -= taken;
            counters.frames += plain;
            counters.bytes += bytes;
        }
        if (size - armed >= fresh.length) {
            rearm();
        }
        if (taken == 0 && ++idle == RxBuffers.PATIENCE) {
            idle = 0;
            health.check();
        }
        return batch.size() - held;
    }

    /**
     * Takes a frame that is in several buffers or has a header that says something.
     *
     * @param first where its first descriptor is, and with which flags it is used
     * @param left buffers that the device has, its own among them
     * @param parts how many of them are its own, as the device says
     * @return that many; 0 when the batch has too little room for it at present
     */
    private int receiveOther(FrameBatch batch, int first, long firstFlags, int left, int parts) {
        if (parts < 1 || parts > left) {
            throw broken(
                    "used descriptor " + first + " starts a frame in " + parts + " buffers; the device has " + left);
        }
        if (parts > batch.room() && parts <= batch.capacity()) {
            return 0;
        }
        int position = first;
        long flags = firstFlags;
        try {
            for (int i = 0; i < parts; i++) {
                receivePart(position, flags, left - i);
                if (++position == ring.size) {
                    position = 0;
                    flags ^= PackedRing.FLAGS;
                }
            }
        } catch (BrokenDeviceException e) {
            frames.abandon();
            throw e;
        }
        frames.deliver(batch);
        return parts;
    }

    private void receivePart(int position, long flags, int left) {
        long word = ring.word(position);
        if ((word & PackedRing.FLAGS) != flags) {
            throw broken(
                    "descriptor " + position + " is not used, although it has a part of a frame: the device uses all"
                            + " of a frame's together");
        }
        int id = (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
        int before = frames.notFrame();
        int length = (int) word - before;
        int most = header + largest - before;
        int buffer;
        if (id >= ring.size || (buffer = buffers[id]) == NONE || length <= 0 || length > most) {
            throw lie(position, word, left, before + 1, before + most);
        }
        if (ring.ids[position] != id) {
            reorder(position, id);
        }
        buffers[id] = NONE;
        frames.add(buffer, length);
    }

    /**
     * Arms all free descriptors, or as many as the pool has buffers for. The first becomes available last, and all of
     * them with it: the device finds a bulk, and does not take a line from us that we are about to write to.
     */
    private void rearm() {
        final PackedRing ring = this.ring;
        final int size = ring.size;
        final int rest = header + largest;
        final int first = arm;
        long firstWord = 0;
        int missing = size - armed;
        int count = 0;
        int taken;
        do {
            taken = pool.take(fresh, 0, Math.min(missing, fresh.length));
            for (int i = 0; i < taken; i++) {
                int id = ring.ids[arm];
                buffers[id] = fresh[i];
                ring.setAddress(arm, source.deviceAddress(fresh[i]));
                long word = availableFlags | PackedRing.WRITE | (long) id << PackedRing.ID_SHIFT | rest;
                if (count++ == 0) {
                    firstWord = word;
                } else {
                    ring.setWord(arm, word);
                }
                if (++arm == size) {
                    arm = 0;
                    availableFlags ^= PackedRing.FLAGS;
                }
            }
            missing -= taken;
        } while (taken == fresh.length && missing > 0);
        if (count > 0) {
            armed += count;
            ring.publish(first, firstWord);
            ring.tell(arm, count, availableFlags);
        }
    }

    private void reorder(int position, int id) {
        if (inOrder) {
            throw broken("the device used buffer " + id + " before buffer " + ring.ids[position]
                    + ", although it promised to work in order (" + Feature.VIRTIO_F_IN_ORDER + ")");
        }
        ring.ids[position] = id;
    }

    private BrokenDeviceException lie(int position, long word, int possible, int least, int most) {
        int id = (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
        return broken("used descriptor " + position + " says buffer " + id + " and "
                + Integer.toUnsignedString((int) word) + " bytes; possible are buffers that the device has (" + possible
                + " of 0 to " + (ring.size - 1) + ") and " + least + " to " + most + " bytes");
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
        Arrays.fill(buffers, NONE);
        next = 0;
        arm = 0;
        armed = 0;
        availableFlags = PackedRing.AVAILABLE_AT_FIRST;
        usedFlags = PackedRing.USED_AT_FIRST;
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
        armed = 0;
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
