package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;
import org.jspecify.annotations.Nullable;

/**
 * A transmit queue over a {@link PackedRing}: one descriptor a frame, header included. A frame in several buffers takes
 * one descriptor with a table, or, where the device knows no tables, several, one behind the other.
 *
 * <p>Going round the ring, the descriptors from {@code clean} to {@code next} are the device's, or sent and not taken
 * back yet; the other {@code free} ones are not in use.
 */
public final class PackedTxQueue implements VirtioTxQueue {

    private static final int WORDS = 64;

    private final PackedRing ring;
    private final TxFrames frames;
    private final TxBuffers buffers;
    private final boolean inOrder;
    /** Null if the device knows no tables. */
    private final @Nullable IndirectTables tables;

    /** What was read of used descriptors. */
    private final long[] words = new long[WORDS];

    /** Descriptors that are taken back at a time, when fewer are free. */
    private final int reclaimThreshold;

    private final QueueCounters counters;
    private final DeviceHealth health;
    private final QueueState state;
    private final StallWatch stall;
    private int next;
    private long availableFlags;
    private int clean;
    private long usedFlags;
    private int free;
    /** Descriptors in use beyond the first of each frame. */
    private int chained;

    /** The second word of the descriptor at {@code next}, which is not written yet. */
    private long firstWord;

    private int idle;

    public PackedTxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            TxFrames frames,
            QueueCounters counters,
            DeviceHealth health) {
        this.ring = new PackedRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.frames = frames;
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.tables = features.has(Feature.VIRTIO_F_INDIRECT_DESC) ? new IndirectTables(space, size, true) : null;
        this.buffers = new TxBuffers(size, tables != null, frames);
        this.reclaimThreshold = RxBuffers.refillThreshold(size);
        this.free = size;
        this.counters = counters;
        this.health = health;
        this.state = new QueueState(name);
        this.stall = StallWatch.full(name);
    }

    @Override
    public int send(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        final int slots = batch.size();
        final int needed = Math.max(reclaimThreshold, slots);
        if (free < needed) {
            // The oldest will do: the device is done with their cache lines, and those that it is at are left to it.
            reclaim(needed);
        }
        final int size = ring.size;
        final int room = free;
        long flags = availableFlags;
        int position = next;
        int taken = 0;
        int slot = 0;
        int count = 0;
        long bytes = 0;
        try {
            while (slot < slots && taken < room) {
                int most = Math.min(slots - slot, Math.min(room - taken, size - position));
                int single = frames.prepare(batch, slot, most);
                int descriptors = single;
                if (single > 0) {
                    bytes += describe(position, single, flags);
                    slot += single;
                    count += single;
                } else {
                    descriptors = describeSegments(batch, slot, position, flags, room - taken);
                    if (descriptors == 0) {
                        break;
                    }
                    bytes += frames.runBytes();
                    slot += batch.slots(slot);
                    count++;
                }
                taken += descriptors;
                position += descriptors;
                if (position >= size) {
                    position -= size;
                    flags ^= PackedRing.FLAGS;
                }
            }
        } catch (RuntimeException e) {
            rollBack(taken);
            throw e;
        }
        if (slot == 0) {
            return onIdlePoll(batch);
        }
        ring.publish(next, firstWord);
        batch.detach(slot);
        next = position;
        availableFlags = flags;
        free -= taken;
        counters.frames += count;
        counters.bytes += bytes;
        ring.notifyDevice(position, taken, flags);
        return slot;
    }

    /**
     * Describes frames that were made ready together, by as many descriptors from {@code head} on, which end at the
     * ring's end at the latest.
     *
     * @return bytes in the frames
     */
    private long describe(int head, int count, long flags) {
        final PackedRing ring = this.ring;
        final int[] ids = ring.ids;
        final long[] addresses = frames.addresses;
        final int[] lengths = frames.lengths;
        for (int i = 0; i < count; i++) {
            ring.setAddress(head + i, addresses[i]);
        }
        long bytes = -(long) count * frames.header;
        for (int i = 0; i < count; i++) {
            bytes += lengths[i];
        }
        if (head == next) {
            firstWord = flags | (long) ids[head] << PackedRing.ID_SHIFT | lengths[0];
        }
        // The first becomes available last, and all with it: none is if one cannot be sent.
        for (int i = head == next ? 1 : 0; i < count; i++) {
            ring.setWord(head + i, flags | (long) ids[head + i] << PackedRing.ID_SHIFT | lengths[i]);
        }
        buffers.put(ids, head, frames.holds, count);
        return bytes;
    }

    /** Writes the second word. The first becomes available last, and all with it: none is if one cannot be sent. */
    private void describe(int position, long word) {
        if (position == next) {
            firstWord = word;
        } else {
            ring.setWord(position, word);
        }
    }

    /**
     * Describes a frame in several slots, by the descriptor at {@code head} and those behind it.
     *
     * @param room free descriptors from there on
     * @return how many it takes; 0 when there is too little room
     */
    private int describeSegments(FrameBatch batch, int from, int head, long flags, int room) {
        int segments = frames.prepareSegments(batch, from, mostSegments());
        if (tables != null) {
            int id = ring.ids[head];
            tables.describe(id, batch, from, segments, frames, buffers);
            ring.setAddress(head, tables.address(id));
            describe(
                    head,
                    flags | PackedRing.INDIRECT | (long) id << PackedRing.ID_SHIFT | IndirectTables.bytes(segments));
            return 1;
        }
        if (segments > room) {
            return 0;
        }
        describeChain(batch, from, head, flags, segments);
        chained += segments - 1;
        return segments;
    }

    private void describeChain(FrameBatch batch, int from, int head, long headFlags, int segments) {
        int size = ring.size;
        // The device gives back the id of the last one (2.8.6), so that in order it is the end of a batch (2.8.9).
        int last = ring.ids[head + segments - 1 < size ? head + segments - 1 : head + segments - 1 - size];
        int position = head;
        long flags = headFlags;
        for (int i = 0; i < segments; i++) {
            Frame slot = batch.frame(from + i);
            int header = i == 0 ? frames.header : 0;
            int id = ring.ids[position];
            ring.setAddress(position, frames.address(slot) - header);
            long word = flags | (long) last << PackedRing.ID_SHIFT | (header + slot.length());
            if (i < segments - 1) {
                word |= PackedRing.NEXT;
                buffers.putSegment(id, frames.handle(slot), last);
            } else {
                buffers.put(id, frames.handle(slot));
            }
            describe(position, word);
            if (++position == size) {
                position = 0;
                flags ^= PackedRing.FLAGS;
            }
        }
    }

    @Override
    public SendLimits limits() {
        return frames.limits(mostSegments());
    }

    /** How many slots a frame may take: descriptors in a table, or in the ring. */
    private int mostSegments() {
        return tables != null ? IndirectTables.MOST : Math.min(IndirectTables.MOST, ring.size);
    }

    @Override
    public int reclaim() {
        reclaim(ring.size);
        return ring.size - free - chained;
    }

    /** Takes back frames that were sent, the oldest first, until about {@code wanted} more descriptors are free. */
    private void reclaim(int wanted) {
        final int size = ring.size;
        final int enough = Math.min(free + wanted, size);
        try {
            while (state.isRunning() && free < enough) {
                int most = Math.min(enough - free, Math.min(words.length, size - clean));
                int count = ring.used(clean, usedFlags, most, words);
                if (count == 0) {
                    break;
                }
                if (inOrder) {
                    takeBackInOrder(count);
                } else {
                    for (int i = 0; i < count; i++) {
                        takeBack(id(words[i]));
                    }
                }
            }
        } finally {
            buffers.giveCollected();
        }
    }

    private static int id(long word) {
        return (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
    }

    /** In order, ids are positions, and one used descriptor may stand for a batch: it names the last (2.8.9). */
    private void takeBackInOrder(int count) {
        int own = 0;
        // Else each stands for itself.
        while (own < count && id(words[own]) == clean + own) {
            own++;
        }
        if (own == 0) {
            takeBackUpTo(id(words[0]));
        } else if (buffers.allPlain()) {
            takeBackPlain(own);
        } else {
            takeBackUpTo(clean + own - 1);
        }
    }

    private void takeBackUpTo(int id) {
        final int size = ring.size;
        int count = (id >= clean ? id - clean : id - clean + size) + 1;
        if (id >= size || count > size - free || !buffers.has(id)) {
            throw malformed(id);
        }
        if (buffers.allPlain()) {
            int beforeTheEnd = Math.min(count, size - clean);
            takeBackPlain(beforeTheEnd);
            takeBackPlain(count - beforeTheEnd);
            return;
        }
        for (; count > 0; count--) {
            // Else a part of a frame, which goes with the last one.
            if (buffers.has(clean)) {
                chained -= buffers.segments(clean);
                buffers.collectOne(clean);
            }
            advance(1);
        }
    }

    /** Takes back frames of a descriptor each, none of which is behind the ring's end. */
    private void takeBackPlain(int count) {
        buffers.collectAll(clean, clean + count);
        advance(count);
    }

    private void takeBack(int id) {
        if (id >= ring.size || !buffers.has(id)) {
            throw malformed(id);
        }
        ring.ids[clean] = id;
        advance(1);
        for (int segment = buffers.next(id); segment != TxBuffers.NONE; segment = buffers.next(segment)) {
            ring.ids[clean] = segment;
            advance(1);
            chained--;
        }
        buffers.collectOne(id);
    }

    /** Goes on by as many descriptors, up to the end of the ring. */
    private void advance(int count) {
        free += count;
        clean += count;
        if (clean == ring.size) {
            clean = 0;
            usedFlags ^= PackedRing.FLAGS;
        }
    }

    @Override
    public long unsentBytes() {
        return buffers.bytes();
    }

    private int onIdlePoll(FrameBatch batch) {
        if (!batch.isEmpty()) {
            stall.stuck(counters.frames);
            if (++idle == RxBuffers.IDLE_POLL_LIMIT) {
                idle = 0;
                health.check();
                ring.tellAnyway();
            }
        }
        return 0;
    }

    /** Undoes the descriptors of frames that are not to be sent after all, as the device has seen none of them. */
    private void rollBack(int count) {
        int position = next;
        long flags = availableFlags;
        for (int i = 0; i < count; i++) {
            int id = ring.ids[position];
            if (buffers.has(id)) {
                chained -= buffers.segments(id);
                buffers.remove(id);
            }
            // As the device left it in the round before: both flags are that round's wrap counter.
            ring.setWord(position, (flags & PackedRing.AVAILABLE_AT_FIRST) != 0 ? 0 : PackedRing.FLAGS);
            if (++position == ring.size) {
                position = 0;
                flags ^= PackedRing.FLAGS;
            }
        }
    }

    private BrokenDeviceException malformed(int id) {
        return state.broken(
                "used descriptor " + clean + " says buffer " + id + "; possible are the buffers that the device"
                        + " has (" + (ring.size - free) + " of 0 to " + (ring.size - 1) + ")");
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        next = 0;
        clean = 0;
        free = ring.size;
        chained = 0;
        availableFlags = PackedRing.AVAILABLE_AT_FIRST;
        usedFlags = PackedRing.USED_AT_FIRST;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
        state.start();
    }

    @Override
    public void halt() {
        state.stop();
    }

    @Override
    public void stop() {
        state.stop();
        buffers.giveAll();
        free = ring.size;
        chained = 0;
    }

    @Override
    public void discard() {
        ring.discard();
        if (tables != null) {
            tables.discard();
        }
    }

    @Override
    public QueueCounters counters() {
        return counters;
    }
}
