package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.HeaderWriter;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the front-end receives: frames are copied into the buffers of its receive ring, and are free at once. */
final class VhostBackendTxQueue implements TxQueue {

    private final String name;
    private final VhostBackendQueue queue;
    private final MemorySegment header = Arena.ofAuto().allocate(VhostBackendQueue.HEADER, Long.BYTES);

    /** The buffers of the frame at hand: a frame of 64 KiB cannot be in more than that many parts. */
    private final int[] ids = new int[ScatterList.MOST_PARTS];

    private final int[] entries = new int[ScatterList.MOST_PARTS];
    private final int[] capacities = new int[ScatterList.MOST_PARTS];
    private final StallWatch stall;
    private long errors;

    /** What was last found out for {@link #limits}. */
    private volatile Known known;

    private Features features;
    private HeaderWriter asked;
    /** What the front-end is told of a frame that asks for nothing. */
    private int good;

    VhostBackendTxQueue(String name, VhostBackendQueue queue) {
        this.name = name;
        this.queue = queue;
        this.stall = StallWatch.full(name);
        this.features = queue.features();
        this.known = Known.of(features);
        this.asked = asked(features);
    }

    private record Known(Features features, SendLimits limits) {

        static Known of(Features features) {
            return new Known(features, OffloadSide.DRIVER.limits(features, FrameLength.LARGEST, Integer.MAX_VALUE));
        }
    }

    private HeaderWriter asked(Features agreed) {
        return new HeaderWriter(name, VhostBackendQueue.HEADER, OffloadSide.DRIVER, agreed);
    }

    @Override
    public int send(FrameBatch batch) {
        if (!queue.gate.enter()) {
            return queue.gate.turnedAway();
        }
        try {
            DeviceRing ring = queue.ring();
            if (features.negotiated() != queue.features().negotiated()) {
                features = queue.features(); // another front-end's
                asked = asked(features);
                good = features.has(OffloadSide.DRIVER.checksum) ? Offloads.CHECKSUM_GOOD : 0;
            }
            check(batch, ring != null);
            return ring == null ? 0 : send(ring, batch);
        } catch (BrokenDeviceException | InternalError e) {
            throw queue.broken(e);
        } finally {
            queue.gate.leave();
        }
    }

    /** @param connected whether it is known what the front-end can do */
    private void check(FrameBatch batch, boolean connected) {
        for (int i = 0; i < batch.size(); i += batch.slots(i)) {
            Frame frame = batch.frame(i);
            if (frame.length() < FrameLength.SHORTEST) {
                throw new DoorbellException(name + ": cannot send a frame of " + frame.length()
                        + " bytes: an Ethernet header has " + FrameLength.SHORTEST);
            }
            if ((frame.offloads() & HeaderWriter.ASKED) != 0 && connected) {
                asked.write(frame, header, 0);
            }
        }
    }

    private int send(DeviceRing ring, FrameBatch batch) {
        final int size = batch.size();
        final ScatterList parts = ring.parts();
        int slot = 0;
        int count = 0;
        long bytes = 0;
        int failed = 0;
        try {
            for (int read = 0; slot < size && read < DeviceRing.MOST_A_POLL; read += parts.count()) {
                int slots = batch.slots(slot);
                int length = batch.length(slot);
                int buffers = takeFor(ring, length);
                if (buffers == 0) {
                    if (slot == 0) {
                        stall.stuck(queue.counters.frames + errors);
                    }
                    break;
                }
                if (buffers < 0) {
                    failed++;
                } else {
                    writeHeader(batch.frame(slot), buffers);
                    parts.copyIn(header, 0, 0, VhostBackendQueue.HEADER);
                    copy(batch, slot, slots, parts);
                    bytes += length;
                    giveBack(ring, buffers, length);
                }
                slot += slots;
                count++;
            }
            MemoryFaults.settle(); // the pool must not meet it
        } finally {
            queue.counters.frames += count - failed;
            queue.counters.bytes += bytes;
            errors += failed;
            release(batch, slot);
            queue.publish(ring);
        }
        MemoryFaults.settle();
        return slot;
    }

    private void writeHeader(Frame frame, int buffers) {
        if ((frame.offloads() & HeaderWriter.ASKED) != 0) {
            asked.write(frame, header, 0);
        } else {
            header.fill((byte) 0);
            if ((frame.offloads() & good) != 0) {
                header.set(ValueLayout.JAVA_BYTE, NetHeader.FLAGS, (byte) NetHeader.DATA_VALID);
            }
        }
        header.set(ValueLayout.JAVA_SHORT, NetHeader.NUM_BUFFERS, (short) buffers);
    }

    private static void copy(FrameBatch batch, int from, int slots, ScatterList parts) {
        long to = VhostBackendQueue.HEADER;
        for (int i = from; i < from + slots; i++) {
            Frame frame = batch.frame(i);
            parts.copyIn(frame.memory(), frame.position(), to, frame.length());
            to += frame.length();
        }
    }

    /**
     * Takes buffers for a frame and its header.
     *
     * @return how many; 0 when there are too few at present; −1 when the frame is too long for the front-end's buffers,
     *     none of which has been taken then
     */
    private int takeFor(DeviceRing ring, int length) {
        final long needed = VhostBackendQueue.HEADER + (long) length;
        int mark = ring.mark();
        int buffers = 0;
        final ScatterList parts = ring.parts();
        parts.clear();
        while (parts.bytes() < needed) {
            if ((buffers == 1 && !features.has(Feature.VIRTIO_NET_F_MRG_RXBUF)) || buffers == ids.length) {
                ring.rewind(mark);
                return -1;
            }
            long before = parts.bytes();
            if (!ring.take(true)) {
                ring.rewind(mark);
                return 0;
            }
            ids[buffers] = ring.id();
            entries[buffers] = ring.entries();
            capacities[buffers] = (int) Math.min(parts.bytes() - before, needed);
            buffers++;
        }
        return buffers;
    }

    private void giveBack(DeviceRing ring, int buffers, int length) {
        int left = VhostBackendQueue.HEADER + length;
        for (int i = 0; i < buffers; i++) {
            int written = Math.min(left, capacities[i]);
            ring.put(ids[i], entries[i], written);
            left -= written;
        }
    }

    /** The frames in these slots were copied: their buffers are free. */
    private static void release(FrameBatch batch, int slots) {
        if (slots == batch.size()) {
            batch.release();
            return;
        }
        for (int left = batch.size() - slots; batch.size() > left; ) {
            batch.release(0);
        }
    }

    /** Frames that are too long for the buffers of a front-end that merges none are counted as errors, not refused. */
    @Override
    public SendLimits limits() {
        Features now = queue.features();
        Known latest = known;
        if (latest.features().negotiated() != now.negotiated()) {
            latest = Known.of(now);
            known = latest;
        }
        return latest.limits();
    }

    /** Nothing is ever on its way: frames are copied when they are sent. */
    @Override
    public int reclaim() {
        if (!queue.gate.enter()) {
            return queue.gate.turnedAway();
        }
        queue.gate.leave();
        return 0;
    }

    QueueCounters counters() {
        return queue.counters;
    }

    /** Frames that were too long for the front-end. */
    long errors() {
        return errors;
    }
}
