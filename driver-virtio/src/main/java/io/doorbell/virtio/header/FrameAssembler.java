package io.doorbell.virtio.header;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Features;

/**
 * Makes frames of the buffers that a device has filled, where they are other than plain: in several buffers, or with
 * something to be said of them in the header (5.1.6.4). Belongs to one receive queue.
 *
 * <p>What is in a header may come from a neighbour of the device, as it is on its way to us. So a value that cannot be
 * costs this one frame, which is dropped and counted, and not the queue.
 */
public final class FrameAssembler {

    /** Whether the header of each frame must be looked at. */
    public final boolean inspectsHeader;

    private final RxBuffers source;
    private final FramePool pool;
    private final HeaderReader headers;
    private final QueueCounters counters;

    /** The buffers of the frame at hand, and how many bytes the device has put into each. */
    private final int[] buffers;

    private final int[] lengths;
    private int count;

    /**
     * @param most buffers that a frame can have
     * @param side which of the two receives
     */
    public FrameAssembler(RxBuffers source, int most, OffloadSide side, Features features, QueueCounters counters) {
        this.source = source;
        this.pool = source.pool();
        this.headers = new HeaderReader(pool.memory(), source.header(), side, features);
        this.inspectsHeader = headers.inspects;
        this.counters = counters;
        this.buffers = new int[most];
        this.lengths = new int[most];
    }

    /** Whether the frame that starts in this buffer has no other one, and a header that says nothing. */
    public boolean isPlain(int buffer) {
        return headers.isPlain(header(buffer));
    }

    /** How many buffers the frame has that starts in this one, as the device wrote it: 0 to 65535. */
    public int buffers(int buffer) {
        return headers.buffers(header(buffer));
    }

    private long header(int buffer) {
        return pool.position(buffer) + source.start();
    }

    /**
     * Adds a buffer to the frame at hand.
     *
     * @param length bytes of the frame in it, which have been checked against its room
     */
    public void add(int buffer, int length) {
        buffers[count] = buffer;
        lengths[count] = length;
        count++;
    }

    /** Bytes of the next buffer to be added that are not the frame's: only the first one starts with a header (5.1.6.4). */
    public int notFrame() {
        return count == 0 ? source.header() : 0;
    }

    /** Forgets the frame at hand; its buffers are left to the caller, who knows of them. */
    public void forget() {
        count = 0;
    }

    /**
     * Puts the frame into the batch; or drops it, where the batch can never hold it, its Ethernet header is not whole, or
     * the device's cannot be.
     */
    public void deliver(FrameBatch batch) {
        final int count = this.count;
        this.count = 0;
        if (count > batch.remaining()
                || lengths[0] < FrameLength.SHORTEST
                || !headers.read(header(buffers[0]), lengths[0])) {
            counters.errors++;
            pool.free(buffers, 0, count);
            return;
        }
        headers.describe(append(batch, 0, count));
        for (int i = 1; i < count; i++) {
            append(batch, i, count);
        }
        counters.frames++;
    }

    /** Puts one of {@code count} buffers into the batch's next slot. */
    private Frame append(FrameBatch batch, int index, int count) {
        int start = index == 0 ? FramePool.HEADROOM : source.start();
        Frame slot = batch.append(pool, buffers[index], start, lengths[index]);
        if (index < count - 1) {
            slot.addOffloads(Offloads.MORE_SEGMENTS);
        }
        counters.bytes += lengths[index];
        return slot;
    }
}
