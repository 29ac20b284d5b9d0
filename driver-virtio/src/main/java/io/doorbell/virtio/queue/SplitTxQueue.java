package io.doorbell.virtio.queue;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
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
 * A transmit queue over a {@link SplitRing}: one descriptor a frame, header included. A frame in several buffers takes
 * one descriptor with a table, or, where the device knows no tables, a chain of them.
 *
 * <p>Descriptors from {@code used} to {@code available} are the device's, or sent and not taken back yet. The free ones
 * are in the ring's queue of ids from {@code available} to {@code tail}, which is {@code used} and the queue's depth, less
 * what chains have taken from there beyond their first.
 */
public final class SplitTxQueue implements VirtioTxQueue {

    private final String name;
    private final SplitRing ring;
    private final TxFrames frames;
    private final TxBuffers buffers;
    private final Features features;
    private final boolean inOrder;
    /** Null if the device knows no tables. */
    private final @Nullable IndirectTables tables;

    /** Descriptors that are in use: the ring's size, or fewer where the device says how large its ring is. */
    private final int depth;

    private final int lowWater;
    private final QueueCounters counters;
    private final DeviceHealth health;
    private final QueueState state;
    private final StallWatch stall;
    private int available;
    private int used;
    private int tail;
    private int idle;

    public SplitTxQueue(
            String name,
            DmaSpace space,
            int size,
            int depth,
            Features features,
            TxFrames frames,
            QueueCounters counters,
            DeviceHealth health) {
        this.name = name;
        this.ring = new SplitRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.frames = frames;
        this.features = features;
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.tables = features.has(Feature.VIRTIO_F_INDIRECT_DESC) ? new IndirectTables(space, size, false) : null;
        this.buffers = new TxBuffers(size, tables != null, frames);
        this.depth = depth;
        this.lowWater = depth / 4;
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
        if (free() < Math.max(lowWater, slots)) {
            reclaim();
        }
        final int first = available;
        int index = first;
        int slot = 0;
        long bytes = 0;
        try {
            while (slot < slots && index != tail) {
                int position = index & ring.mask;
                int most = Math.min(slots - slot, Math.min(tail - index, ring.size - position));
                int single = frames.prepare(batch, slot, most);
                if (single > 0) {
                    bytes += describe(position, single);
                    index += single;
                    slot += single;
                } else {
                    int segments = describeSegments(batch, slot, ring.ids[index & ring.mask], tail - index);
                    if (segments == 0) {
                        break;
                    }
                    bytes += frames.runBytes();
                    index++;
                    slot += segments;
                }
            }
        } catch (RuntimeException e) {
            rollBack(first, index);
            throw e;
        }
        if (slot == 0) {
            return onIdlePoll(batch);
        }
        ring.publish(index);
        batch.detach(slot);
        available = index;
        counters.frames += index - first;
        counters.bytes += bytes;
        ring.notifyDevice(index);
        return slot;
    }

    /**
     * Describes frames that were made ready together, by a descriptor each: those at {@code position} and behind it, none
     * behind the ring's end.
     *
     * @return bytes in the frames
     */
    private long describe(int position, int count) {
        final SplitRing ring = this.ring;
        final int[] ids = ring.ids;
        final long[] addresses = frames.addresses;
        final int[] lengths = frames.lengths;
        for (int i = 0; i < count; i++) {
            ring.setDescriptorAddress(ids[position + i], addresses[i]);
        }
        for (int i = 0; i < count; i++) {
            ring.setDescriptorRest(ids[position + i], lengths[i]);
        }
        long bytes = -(long) count * frames.header;
        for (int i = 0; i < count; i++) {
            bytes += lengths[i];
        }
        buffers.put(ids, position, frames.holds, count);
        return bytes;
    }

    /**
     * Describes a frame in several slots, by the descriptor {@code id} and more.
     *
     * @param room free descriptors, that one among them
     * @return how many slots it takes; 0 when there is too little room
     */
    private int describeSegments(FrameBatch batch, int from, int id, int room) {
        int segments = frames.prepareSegments(batch, from, mostSegments());
        if (tables != null) {
            tables.describe(id, batch, from, segments, frames, buffers);
            ring.setDescriptorAddress(id, tables.address(id));
            ring.setDescriptorRest(id, SplitRing.INDIRECT | IndirectTables.bytes(segments));
            return segments;
        }
        if (inOrder) {
            // Chains would have to take descriptors in the order of the table (2.7.5), which tables make unnecessary.
            throw new DoorbellException(name + ": cannot send a frame in several slots, since "
                    + features.notInUse(Feature.VIRTIO_F_INDIRECT_DESC) + "; without it, leave "
                    + Feature.VIRTIO_F_IN_ORDER + " too");
        }
        if (segments > room) {
            return 0;
        }
        describeChain(batch, from, id, segments);
        return segments;
    }

    private void describeChain(FrameBatch batch, int from, int head, int segments) {
        int id = head;
        for (int i = 0; i < segments; i++) {
            Frame slot = batch.frame(from + i);
            int header = i == 0 ? frames.header : 0;
            ring.setDescriptorAddress(id, frames.address(slot) - header);
            int length = header + slot.length();
            if (i == 0) {
                buffers.put(head, frames.handle(slot));
            } else {
                buffers.putSegment(id, frames.handle(slot), head);
            }
            if (i == segments - 1) {
                ring.setDescriptorRest(id, length);
            } else {
                int next = ring.ids[--tail & ring.mask];
                ring.setDescriptorRest(id, SplitRing.chained(next) | length);
                id = next;
            }
        }
    }

    @Override
    public SendLimits limits() {
        return frames.limits(mostSegments());
    }

    /** How many slots a frame may take: descriptors in a table, or in the ring. */
    private int mostSegments() {
        return tables != null ? IndirectTables.MOST : Math.min(IndirectTables.MOST, depth);
    }

    @Override
    public int reclaim() {
        final int done = state.isRunning() ? ring.usedSince(used) : 0;
        if (done > available - used) {
            throw state.broken("the device says that it used " + done + " buffers, and it has " + (available - used));
        }
        if (done > 0) {
            if (inOrder) {
                // The index alone says which: the device need not even have written the entries (2.7.9).
                buffers.give(used & ring.mask, done);
                used += done;
                tail += done;
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
                    throw state.broken("used entry " + position + " says buffer " + Integer.toUnsignedString(id)
                            + "; possible are buffers that the device has (" + (available - index) + " of 0 to " + mask
                            + ")");
                }
                free(id);
                for (int segment = buffers.next(id); segment != TxBuffers.NONE; segment = buffers.next(segment)) {
                    free(segment);
                }
                buffers.collectOne(id);
                used = index + 1;
            }
        } finally {
            buffers.giveCollected();
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
            }
        }
        return 0;
    }

    private int free() {
        return tail - available;
    }

    /** Puts a descriptor at the end of those that are free. */
    private void free(int id) {
        int position = tail & ring.mask;
        if (ring.ids[position] != id) {
            ring.reorder(position, id);
        }
        tail++;
    }

    private void rollBack(int first, int end) {
        for (int index = first; index != end; index++) {
            int id = ring.ids[index & ring.mask];
            for (int segment = buffers.next(id); segment != TxBuffers.NONE; segment = buffers.next(segment)) {
                free(segment);
            }
            buffers.remove(id);
        }
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
        tail = depth;
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
        used = available;
        tail = available + depth;
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
