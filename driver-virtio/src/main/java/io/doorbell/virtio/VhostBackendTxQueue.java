package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.TxQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the front-end receives: frames are copied into the buffers of its receive ring, and are free at once. */
final class VhostBackendTxQueue implements TxQueue {

    /** num_buffers in the header (5.1.6). */
    private static final int NUM_BUFFERS = 10;

    private static final int SHORTEST = 14;

    /** What changes the frame. No front-end is offered to do it. */
    private static final int UNABLE = Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.VLAN_TAG;

    private final String name;
    private final VhostBackendQueue queue;
    /** Zeros but for num_buffers. */
    private final MemorySegment header = Arena.ofAuto().allocate(VhostBackendQueue.HEADER, Long.BYTES);

    /** The buffers of the frame at hand: a frame of 64 KiB cannot be in more than that many parts. */
    private final int[] ids = new int[DeviceRing.MOST_PARTS];

    private final int[] entries = new int[DeviceRing.MOST_PARTS];
    private final int[] capacities = new int[DeviceRing.MOST_PARTS];
    private long errors;

    VhostBackendTxQueue(String name, VhostBackendQueue queue) {
        this.name = name;
        this.queue = queue;
    }

    @Override
    public int send(FrameBatch batch) {
        check(batch);
        if (!queue.gate.enter()) {
            return 0;
        }
        try {
            DeviceRing ring = queue.ring();
            return ring == null ? 0 : send(ring, batch);
        } catch (BrokenDeviceException | InternalError e) {
            throw queue.broken(e);
        } finally {
            queue.gate.leave();
        }
    }

    private void check(FrameBatch batch) {
        for (int i = 0; i < batch.size(); i++) {
            Frame frame = batch.frame(i);
            if (frame.length() < SHORTEST) {
                throw new DoorbellException(name + ": cannot send a frame of " + frame.length()
                        + " bytes: an Ethernet header has " + SHORTEST);
            }
            if ((frame.offloads() & UNABLE) != 0) {
                throw new DoorbellException(name + ": cannot do for a frame what is asked: "
                        + Offloads.toString(frame.offloads() & UNABLE)
                        + "; do it in software and call Frame.clearOffloads");
            }
        }
    }

    private int send(DeviceRing ring, FrameBatch batch) {
        final int size = batch.size();
        int count = 0;
        long bytes = 0;
        int failed = 0;
        try {
            while (count < size) {
                Frame frame = batch.frame(count);
                int length = frame.length();
                int buffers = takeFor(ring, length);
                if (buffers == 0) {
                    break;
                }
                if (buffers < 0) {
                    failed++;
                } else {
                    header.set(ValueLayout.JAVA_SHORT, NUM_BUFFERS, (short) buffers);
                    ring.copyIn(header, 0, 0, VhostBackendQueue.HEADER);
                    ring.copyIn(frame.memory(), frame.position(), VhostBackendQueue.HEADER, length);
                    bytes += length;
                    giveBack(ring, buffers, length);
                }
                count++;
            }
        } finally {
            queue.counters.frames += count - failed;
            queue.counters.bytes += bytes;
            errors += failed;
            release(batch, count);
            queue.publish(ring);
        }
        return count;
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
        ring.clear();
        while (ring.bytes < needed) {
            if ((buffers == 1 && !queue.isMergeable()) || buffers == ids.length) {
                ring.rewind(mark);
                return -1;
            }
            long before = ring.bytes;
            if (!ring.take(true)) {
                ring.rewind(mark);
                return 0;
            }
            ids[buffers] = ring.id;
            entries[buffers] = ring.entries;
            capacities[buffers] = (int) Math.min(ring.bytes - before, needed);
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

    /** The frames were copied: their buffers are free. */
    private static void release(FrameBatch batch, int count) {
        if (count == batch.size()) {
            batch.release();
            return;
        }
        for (int i = 0; i < count; i++) {
            batch.release(0);
        }
    }

    /** Nothing is ever on its way: frames are copied when they are sent. */
    @Override
    public int reclaim() {
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
