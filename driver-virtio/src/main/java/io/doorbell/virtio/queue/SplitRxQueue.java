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
 * A receive queue over a {@link SplitRing}: one buffer a descriptor, header and frame in one piece. A frame that is too
 * long for that takes several buffers, which the device uses together.
 *
 * <p>Descriptors from {@code used} to {@code available} are the device's, or filled and not looked at yet; the others
 * wait for a fresh buffer.
 */
public final class SplitRxQueue implements VirtioRxQueue {

    private static final int ENTRIES = 64;

    private final SplitRing ring;
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

    /** The buffer that is posted at each position of the ring; the id of its descriptor is in the ring's {@code ids}. */
    private final int[] buffers;

    /** Descriptors that are in use: the ring's size, or fewer where the device says how large its ring is. */
    private final int depth;

    /** Descriptors that are posted at a time. */
    private final int refillThreshold;

    // What was read of used entries, and the lengths that it says.
    private final long[] entries = new long[ENTRIES];
    private final int[] lengths = new int[ENTRIES];

    private int available;
    private int used;
    /** Buffers from {@code used} on of which the latest used entry says that they are used; and that entry. */
    private int batched;

    private long batchEntry;
    private int idle;

    public SplitRxQueue(
            String name,
            DmaSpace space,
            int size,
            int depth,
            Features features,
            RxBuffers source,
            QueueCounters counters,
            DeviceHealth health) {
        this.ring = new SplitRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
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
        this.depth = depth;
        this.refillThreshold = RxBuffers.refillThreshold(depth);
    }

    /** As {@link RxQueue#receive}; when it throws, what had arrived before is in the batch. */
    @Override
    public int receive(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        final int received = takeUsed(batch);
        if (freeCount() >= refillThreshold) {
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
        if (freeCount() > 0) {
            refill();
        }
        ring.notifyNow(available);
        ring.askInterrupts(used);
        return available == used || batched > 0 || done(used) > 0;
    }

    @Override
    public void disarm() {
        if (state.isRunning()) {
            ring.refuseInterrupts(used);
        }
    }

    /** Moves what the device has used into the batch. */
    private int takeUsed(FrameBatch batch) {
        final int held = batch.size();
        int left = done(used);
        while (left > 0 && batch.remaining() > 0) {
            int position = used & ring.mask;
            int count = Math.min(Math.min(left, batch.remaining()), Math.min(entries.length, ring.size - position));
            ring.readUsed(position, count, entries);
            int taken = take(batch, count, left);
            if (taken == 0) {
                break;
            }
            left -= taken;
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
        final int plain = batched > 0 ? 0 : plain(count);
        batch.append(pool, buffers, used & ring.mask, FramePool.HEADROOM, lengths, plain);
        counters.add(lengths, plain);
        used += plain;
        if (batched == 0) {
            if (plain == count) {
                return plain;
            }
            use(used, entries[plain], left - plain);
        }
        int parts = receiveOther(batch, left - plain);
        used += parts;
        return plain + parts;
    }

    /**
     * How many of the frames are plain, counted up to the first one that is not: the id that is due, a length that can
     * be, and a header that says nothing.
     */
    private int plain(int count) {
        final int[] ids = ring.ids;
        final int first = used & ring.mask;
        final int header = this.header;
        final int largest = this.largest;
        final boolean inspectsHeader = frames.inspectsHeader;
        for (int i = 0; i < count; i++) {
            long entry = entries[i];
            int length = (int) (entry >>> Integer.SIZE) - header;
            if ((int) entry != ids[first + i]
                    || length < FrameLength.SHORTEST
                    || length > largest
                    || (inspectsHeader && !frames.isPlain(buffers[first + i]))) {
                return i;
            }
            lengths[i] = length;
        }
        return count;
    }

    /**
     * Takes the frame of the next used entry, which is not plain: in several buffers, with a header that says something, in
     * another order than they were posted in, or a lie.
     *
     * @param left used buffers that have not been looked at, its own among them
     * @return how many buffers it has; 0 when the batch has too little room for it at present
     */
    private int receiveOther(FrameBatch batch, int left) {
        final int position = used & ring.mask;
        accept(used, entry(used, left), frames.notFrame());
        int parts = frames.buffers(buffers[position]);
        if (parts < 1 || parts > left) {
            throw state.broken("used entry " + position + " starts a frame in " + parts
                    + " buffers; the device has used " + left + ", and uses all of a frame's together");
        }
        if (parts > batch.remaining() && parts <= batch.capacity()) {
            return 0;
        }
        try {
            for (int index = used; index != used + parts; index++) {
                int length = accept(index, entry(index, left), frames.notFrame());
                frames.add(buffers[index & ring.mask], length);
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
     * What the device says of a buffer: what a used entry says, or, in order, that it is full.
     *
     * @param left used buffers from {@code used} on
     */
    private long entry(int index, int left) {
        int behind = index - used;
        if (behind == batched) {
            use(index, ring.usedEntry(index & ring.mask), left - behind);
        }
        return behind == batched - 1
                ? batchEntry
                : (long) (header + largest) << Integer.SIZE | ring.ids[index & ring.mask];
    }

    /**
     * Takes note of a used entry. In order, one may stand for several buffers, up to the one that it names: those before are
     * full (2.7.9).
     *
     * @param left used buffers, this one and those behind it
     */
    private void use(int index, long entry, int left) {
        int id = (int) entry;
        int ahead = id - ring.ids[index & ring.mask] & ring.mask;
        batched += inOrder && (id & ~ring.mask) == 0 && ahead < left ? ahead + 1 : 1;
        batchEntry = entry;
    }

    /**
     * Checks what the device wrote of a buffer, and sees to it that the buffer is that of its position.
     *
     * @param entry what it wrote
     * @param before bytes in it that are not the frame's
     * @return bytes of the frame in it
     */
    private int accept(int index, long entry, int before) {
        int position = index & ring.mask;
        int id = (int) entry;
        int length = (int) (entry >>> Integer.SIZE) - before;
        int most = header + largest - before;
        if (length <= 0 || length > most || (id != ring.ids[position] && !reorder(index, id))) {
            throw malformed(index, id, length + before, before + 1, before + most);
        }
        return length;
    }

    /**
     * Takes note that the device used a buffer before others that it had been given earlier: they change places.
     *
     * @return false when the device has no such buffer
     */
    private boolean reorder(int index, int id) {
        final int position = index & ring.mask;
        for (int other = index + 1; other != available; other++) {
            int otherPosition = other & ring.mask;
            if (ring.ids[otherPosition] == id) {
                if (inOrder) {
                    throw state.broken("the device used buffer " + id + " before buffer " + ring.ids[position]
                            + ", although it promised to work in order (" + Feature.VIRTIO_F_IN_ORDER + ")");
                }
                ring.reorder(otherPosition, ring.ids[position]);
                ring.reorder(position, id);
                int buffer = buffers[otherPosition];
                buffers[otherPosition] = buffers[position];
                buffers[position] = buffer;
                return true;
            }
        }
        return false;
    }

    /** How many buffers the device has filled that have not been looked at. */
    private int done(int first) {
        int done = ring.usedSince(first);
        if (done > available - first) {
            throw state.broken("the device says that it used " + done + " buffers, and it has " + (available - first));
        }
        return done;
    }

    private void onIdlePoll() {
        ring.notifyNow(available);
        if (++idle == RxBuffers.IDLE_POLL_LIMIT) {
            idle = 0;
            health.check();
        }
    }

    private int freeCount() {
        return depth - (available - used);
    }

    /** Refills all free descriptors, or as many as the pool has buffers for, and publishes them together. */
    private void refill() {
        int index = available;
        int wanted;
        int taken;
        do {
            int position = index & ring.mask;
            wanted = Math.min(depth - (index - used), ring.size - position);
            taken = pool.allocate(buffers, position, wanted);
            describe(position, taken);
            index += taken;
        } while (taken == wanted && index - used < depth);
        if (index != available) {
            available = index;
            ring.deferInterrupts(used);
            ring.publish(index);
            ring.deferNotify(index);
        } else {
            counters.starved++;
            stall.stuck(buffers, index & ring.mask);
        }
    }

    /** Describes fresh buffers. Beside the address, a descriptor is the same for ever. */
    private void describe(int position, int count) {
        final SplitRing ring = this.ring;
        final int[] ids = ring.ids;
        final int[] buffers = this.buffers;
        for (int i = position; i < position + count; i++) {
            ring.setDescriptorAddress(ids[i], source.deviceAddress(buffers[i]));
        }
    }

    private BrokenDeviceException malformed(int index, int id, int bytes, int least, int most) {
        return state.broken(
                "used entry " + (index & ring.mask) + " says buffer " + Integer.toUnsignedString(id) + " and "
                        + Integer.toUnsignedString(bytes) + " bytes; possible are buffers that the device has ("
                        + (available - index) + " of 0 to " + ring.mask + ") and " + least + " to " + most + " bytes");
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        for (int id = 0; id < ring.size; id++) {
            ring.setDescriptorRest(id, SplitRing.WRITE | (header + largest));
        }
        available = 0;
        used = 0;
        batched = 0;
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
        int position = used & ring.mask;
        int beforeTheEnd = Math.min(available - used, ring.size - position);
        pool.free(buffers, position, beforeTheEnd);
        pool.free(buffers, 0, available - used - beforeTheEnd);
        used = available;
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
