package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.virtio.header.FrameAssembler;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;

/**
 * A receive queue over a {@link PackedRing}: one buffer a descriptor, header and frame in one piece. A frame that is too
 * long for that takes several buffers, which the device uses together.
 *
 * <p>Going round the ring, the {@code posted} descriptors before {@code refillFrom}, from {@code next} on, are the device's, or
 * filled and not looked at yet; the others wait for a fresh buffer.
 */
public final class PackedRxQueue implements VirtioRxQueue {

    private static final int WORDS = 64;

    private final PackedRing ring;
    private final RxBuffers source;
    private final FrameAssembler frames;
    private final FramePool pool;
    private final int largest;
    private final int header;
    private final boolean inOrder;
    private final QueueCounters counters;
    private final DeviceHealth health;
    private final QueueState state;
    private final StallWatch stall;

    /** The buffer behind each descriptor that is posted; its id is in the ring's {@code ids}. */
    private final int[] buffers;

    /** Descriptors that are posted at a time. */
    private final int refillThreshold;

    // What was read of used descriptors, and the lengths that it says.
    private final long[] words = new long[WORDS];
    private final int[] lengths = new int[WORDS];

    private int next;
    private long usedFlags;
    private int refillFrom;
    private long availableFlags;
    private int posted;
    /** Buffers from {@code next} on of which the latest used descriptor says that they are used; and its second word. */
    private int batched;

    private long batchWord;
    private int idle;

    public PackedRxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            RxBuffers source,
            QueueCounters counters,
            DeviceHealth health) {
        this.ring = new PackedRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.source = source;
        this.frames = new FrameAssembler(source, size, OffloadSide.DRIVER, features, counters);
        this.pool = source.pool();
        this.largest = source.largest();
        this.header = source.header();
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.counters = counters;
        this.health = health;
        this.state = new QueueState(name);
        this.stall = StallWatch.starved(name);
        this.buffers = new int[size];
        this.refillThreshold = RxBuffers.refillThreshold(size);
    }

    /** As {@link RxQueue#receive}; when it throws, what had arrived before is in the batch. */
    @Override
    public int receive(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        final int received = takeUsed(batch);
        if (ring.size - posted >= refillThreshold) {
            refill();
        }
        if (received == 0) {
            onIdlePoll();
        }
        return received;
    }

    @Override
    public int collect(FrameBatch batch) {
        return state.isRunning() ? takeUsed(batch) : 0;
    }

    @Override
    public boolean arm() {
        if (!state.isRunning()) {
            return true;
        }
        if (posted < ring.size) {
            refill();
        }
        ring.notifyNow();
        ring.askInterrupts();
        return posted == 0 || batched > 0 || (ring.word(next) & PackedRing.FLAGS) == usedFlags;
    }

    @Override
    public void disarm() {
        if (state.isRunning()) {
            ring.refuseInterrupts();
        }
    }

    /** Moves what the device has used into the batch. */
    private int takeUsed(FrameBatch batch) {
        final int held = batch.size();
        boolean more = true;
        while (more) {
            int most = Math.min(Math.min(posted, batch.remaining()), Math.min(words.length, ring.size - next));
            int count = ring.used(next, usedFlags, most, words);
            // To look again at what was not used yet would take the line from the device that is about to write there.
            more = take(batch, count, count == most) && batch.remaining() > 0 && posted > 0;
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
        final int plain = batched > 0 ? 0 : plain(count);
        batch.append(pool, buffers, next, FramePool.HEADROOM, lengths, plain);
        counters.add(lengths, plain);
        advance(plain);
        if (batched == 0) {
            if (plain == count) {
                return mayBeMore;
            }
            use(next, words[plain], posted);
        }
        int parts = receiveOther(batch);
        advance(parts);
        return parts > 0;
    }

    /**
     * How many of the frames are plain, counted up to the first one that is not: the id that is due, a length that can
     * be, and a header that says nothing.
     */
    private int plain(int count) {
        final int[] ids = ring.ids;
        final int first = next;
        final int header = this.header;
        final int largest = this.largest;
        final boolean inspectsHeader = frames.inspectsHeader;
        for (int i = 0; i < count; i++) {
            long word = words[i];
            int length = (int) word - header;
            if (id(word) != ids[first + i]
                    || length < FrameLength.SHORTEST
                    || length > largest
                    || (inspectsHeader && !frames.isPlain(buffers[first + i]))) {
                return i;
            }
            lengths[i] = length;
        }
        return count;
    }

    private static int id(long word) {
        return (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
    }

    private void advance(int count) {
        posted -= count;
        next += count;
        if (next >= ring.size) {
            next -= ring.size;
            usedFlags ^= PackedRing.FLAGS;
        }
    }

    private void onIdlePoll() {
        ring.notifyNow();
        if (++idle == RxBuffers.IDLE_POLL_LIMIT) {
            idle = 0;
            health.check();
        }
    }

    /**
     * Takes the frame at {@code next}, which is not plain: in several buffers, with a header that says something, in
     * another order than they were posted in, or a lie.
     *
     * @return how many buffers it has; 0 when the batch has too little room for it at present
     */
    private int receiveOther(FrameBatch batch) {
        accept(next, word(0, next, usedFlags), posted, frames.notFrame());
        int parts = frames.buffers(buffers[next]);
        if (parts < 1 || parts > posted) {
            throw state.broken(
                    "used descriptor " + next + " starts a frame in " + parts + " buffers; the device has " + posted);
        }
        if (parts > batch.remaining() && parts <= batch.capacity()) {
            return 0;
        }
        int position = next;
        long flags = usedFlags;
        try {
            for (int i = 0; i < parts; i++) {
                int length = accept(position, word(i, position, flags), posted - i, frames.notFrame());
                frames.add(buffers[position], length);
                if (++position == ring.size) {
                    position = 0;
                    flags ^= PackedRing.FLAGS;
                }
            }
        } catch (BrokenDeviceException e) {
            // Those that were added come back with all that the device has.
            frames.forget();
            throw e;
        }
        batched -= parts;
        frames.deliver(batch);
        return parts;
    }

    /**
     * What the device says of a buffer: what a used descriptor says, or, in order, that it is full.
     *
     * @param index 0 for that at {@code next}
     */
    private long word(int index, int position, long flags) {
        if (index == batched) {
            long word = ring.word(position);
            if ((word & PackedRing.FLAGS) != flags) {
                throw state.broken("descriptor " + position + " is not used, although it has a part of a frame: the"
                        + " device uses all of a frame's together");
            }
            use(position, word, posted - index);
        }
        return index == batched - 1 ? batchWord : (long) ring.ids[position] << PackedRing.ID_SHIFT | (header + largest);
    }

    /**
     * Takes note of a used descriptor. In order, one may stand for several buffers, up to the one that it names (2.8.9).
     *
     * @param left how many the device has, this one and those behind it
     */
    private void use(int position, long word, int left) {
        int ahead = id(word) >= position ? id(word) - position : id(word) - position + ring.size;
        batched += inOrder && id(word) < ring.size && ahead < left ? ahead + 1 : 1;
        batchWord = word;
    }

    /**
     * Checks what the device wrote of a buffer, and sees to it that the buffer is that of its position.
     *
     * @param left how many the device has, this one and those behind it
     * @param before bytes in it that are not the frame's
     * @return bytes of the frame in it
     */
    private int accept(int position, long word, int left, int before) {
        int length = (int) word - before;
        int most = header + largest - before;
        if (length <= 0 || length > most || (id(word) != ring.ids[position] && !reorder(position, id(word), left))) {
            throw malformed(position, word, left, before + 1, before + most);
        }
        return length;
    }

    /**
     * Takes note that the device used a buffer before others that it had been given earlier: they change places.
     *
     * @return false when the device has no such buffer
     */
    private boolean reorder(int position, int id, int left) {
        final int[] ids = ring.ids;
        int other = position;
        for (int i = 1; i < left; i++) {
            other = other + 1 == ring.size ? 0 : other + 1;
            if (ids[other] == id) {
                if (inOrder) {
                    throw state.broken("the device used buffer " + id + " before buffer " + ids[position]
                            + ", although it promised to work in order (" + Feature.VIRTIO_F_IN_ORDER + ")");
                }
                ids[other] = ids[position];
                ids[position] = id;
                int buffer = buffers[other];
                buffers[other] = buffers[position];
                buffers[position] = buffer;
                return true;
            }
        }
        return false;
    }

    /**
     * Refills all free descriptors, or as many as the pool has buffers for. The first becomes available last, and all of
     * them with it: the device finds many at once, and does not take a line from us that we are about to write to.
     */
    private void refill() {
        final int first = refillFrom;
        final long firstWord = word(first);
        int count = 0;
        int wanted;
        int got;
        do {
            wanted = Math.min(ring.size - posted - count, ring.size - refillFrom);
            got = pool.allocate(buffers, refillFrom, wanted);
            describe(refillFrom, got, count == 0 ? 1 : 0);
            count += got;
            refillFrom += got;
            if (refillFrom == ring.size) {
                refillFrom = 0;
                availableFlags ^= PackedRing.FLAGS;
            }
        } while (got == wanted && posted + count < ring.size);
        if (count > 0) {
            posted += count;
            ring.publish(first, firstWord);
            ring.deferNotify(refillFrom, count, availableFlags);
        } else {
            counters.starved++;
            stall.stuck(buffers, refillFrom);
        }
    }

    /** Describes fresh buffers, by {@code count} descriptors from {@code head} on; leaves out the first {@code skipFirst} words. */
    private void describe(int head, int count, int skipFirst) {
        final PackedRing ring = this.ring;
        final int[] buffers = this.buffers;
        for (int position = head; position < head + count; position++) {
            ring.setAddress(position, source.deviceAddress(buffers[position]));
        }
        for (int position = head + skipFirst; position < head + count; position++) {
            ring.setWord(position, word(position));
        }
    }

    /** What the second word of a descriptor is when it is posted. */
    private long word(int position) {
        return availableFlags
                | PackedRing.WRITE
                | (long) ring.ids[position] << PackedRing.ID_SHIFT
                | (header + largest);
    }

    private BrokenDeviceException malformed(int position, long word, int possible, int least, int most) {
        int id = id(word);
        return state.broken("used descriptor " + position + " says buffer " + id + " and "
                + Integer.toUnsignedString((int) word) + " bytes; possible are buffers that the device has (" + possible
                + " of 0 to " + (ring.size - 1) + ") and " + least + " to " + most + " bytes");
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        next = 0;
        refillFrom = 0;
        posted = 0;
        batched = 0;
        availableFlags = PackedRing.AVAILABLE_AT_FIRST;
        usedFlags = PackedRing.USED_AT_FIRST;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
        state.start();
        refill();
    }

    @Override
    public void halt() {
        state.stop();
    }

    @Override
    public void stop() {
        state.stop();
        int beforeTheEnd = Math.min(posted, ring.size - next);
        pool.free(buffers, next, beforeTheEnd);
        pool.free(buffers, 0, posted - beforeTheEnd);
        posted = 0;
    }

    @Override
    public void discard() {
        ring.discard();
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
