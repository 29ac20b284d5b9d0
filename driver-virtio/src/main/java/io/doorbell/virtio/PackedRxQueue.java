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
    private static final int WORDS = 64;

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

    // What was read of used descriptors, and what it says.
    private final long[] words = new long[WORDS];
    private final int[] taken = new int[WORDS];
    private final int[] lengths = new int[WORDS];

    /** The second word of the first descriptor that is being armed. */
    private long firstWord;

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
        final int held = batch.size();
        boolean more = true;
        while (more) {
            int most = Math.min(Math.min(armed, batch.room()), Math.min(words.length, ring.size - next));
            int count = ring.used(next, usedFlags, most, words);
            // To look again at what was not used yet would take the line from the device that is about to write there.
            more = take(batch, count, count == most) && batch.room() > 0 && armed > 0;
        }
        if (ring.size - armed >= fresh.length) {
            rearm();
        }
        if (batch.size() == held) {
            nothing();
        }
        return batch.size() - held;
    }

    /**
     * Takes frames whose descriptors have been read.
     *
     * @param mayBeMore whether it makes sense to look for more when these are taken
     * @return whether it makes sense to look for more
     */
    private boolean take(FrameBatch batch, int count, boolean mayBeMore) {
        int plain = 0;
        try {
            while (plain < count && accept(plain)) {
                plain++;
            }
        } finally {
            // Also when a later one is a lie.
            batch.append(pool, taken, FramePool.HEADROOM, lengths, plain);
            count(plain);
            advance(plain);
        }
        if (plain == count) {
            return mayBeMore;
        }
        int parts = receiveOther(batch, next, usedFlags, armed, frames.buffers(buffers[id(words[plain])]));
        advance(parts);
        return parts > 0;
    }

    /** Checks what the device wrote of a frame; returns false when the frame is not plain. */
    private boolean accept(int index) {
        long word = words[index];
        int position = next + index;
        int id = id(word);
        int length = (int) word - header;
        int buffer;
        if (id >= buffers.length || (buffer = buffers[id]) == NONE || length <= 0 || length > largest) {
            throw lie(position, word, armed - index, header + 1, header + largest);
        }
        if (frames.looks && !frames.isPlain(buffer)) {
            return false;
        }
        if (ring.ids[position] != id) {
            reorder(position, id);
        }
        buffers[id] = NONE;
        taken[index] = buffer;
        lengths[index] = length;
        return true;
    }

    private static int id(long word) {
        return (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
    }

    private void count(int plain) {
        long bytes = 0;
        for (int i = 0; i < plain; i++) {
            bytes += lengths[i];
        }
        counters.frames += plain;
        counters.bytes += bytes;
    }

    private void advance(int count) {
        armed -= count;
        next += count;
        if (next >= ring.size) {
            next -= ring.size;
            usedFlags ^= PackedRing.FLAGS;
        }
    }

    private void nothing() {
        if (++idle == RxBuffers.PATIENCE) {
            idle = 0;
            health.check();
        }
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
        int id = id(word);
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
        final int first = arm;
        int count = 0;
        int wanted;
        int got;
        do {
            wanted = Math.min(fresh.length, Math.min(ring.size - armed - count, ring.size - arm));
            got = pool.take(fresh, 0, wanted);
            describe(arm, got, first);
            count += got;
            arm += got;
            if (arm == ring.size) {
                arm = 0;
                availableFlags ^= PackedRing.FLAGS;
            }
        } while (got == wanted && armed + count < ring.size);
        if (count > 0) {
            armed += count;
            ring.publish(first, firstWord);
            ring.tell(arm, count, availableFlags);
        }
    }

    /** Describes fresh buffers, by as many descriptors from {@code head} on; the word of that at {@code first} is left out. */
    private void describe(int head, int count, int first) {
        final PackedRing ring = this.ring;
        final long rest = availableFlags | PackedRing.WRITE | (header + largest);
        for (int i = 0; i < count; i++) {
            int position = head + i;
            int id = ring.ids[position];
            long word = rest | (long) id << PackedRing.ID_SHIFT;
            buffers[id] = fresh[i];
            ring.setAddress(position, source.deviceAddress(fresh[i]));
            if (position == first) {
                firstWord = word;
            } else {
                ring.setWord(position, word);
            }
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
        int id = id(word);
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
