package io.doorbell.virtio;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;

/** What the front-end sends: frames are copied out of its transmit ring into the pool's buffers. */
final class VhostBackendRxQueue implements RxQueue {

    private static final int SHORTEST = 14;

    private final VhostBackendQueue queue;
    private final FramePool pool;
    private final RxBuffers buffers;
    /** Bytes that a buffer takes, of header and frame. */
    private final int room;
    /** Bytes in the largest frame that is received. */
    private final int largest;

    private final int[] fresh = new int[TxTables.MOST];
    private RxFrames frames;
    private Features features;

    /** @param several whether frames may take several slots of a batch */
    VhostBackendRxQueue(VhostBackendQueue queue, FramePool pool, boolean several) {
        this.queue = queue;
        this.pool = pool;
        // No device but this object reaches them, so they need no address.
        this.buffers = new RxBuffers(pool, 0, VhostBackendQueue.HEADER);
        this.room = VhostBackendQueue.HEADER + buffers.largest();
        this.largest = several
                ? Math.min(TxFrames.LARGEST, fresh.length * room - VhostBackendQueue.HEADER)
                : buffers.largest();
        this.features = queue.features();
        this.frames = frames(features);
    }

    private RxFrames frames(Features agreed) {
        return new RxFrames(buffers, fresh.length, OffloadSide.DEVICE, agreed, queue.counters);
    }

    @Override
    public int receive(FrameBatch batch) {
        if (!queue.gate.enter()) {
            return 0;
        }
        try {
            DeviceRing ring = queue.ring();
            return ring == null ? 0 : receive(ring, batch);
        } catch (BrokenDeviceException | InternalError e) {
            throw queue.broken(e);
        } finally {
            queue.gate.leave();
        }
    }

    private int receive(DeviceRing ring, FrameBatch batch) {
        if (features.negotiated() != queue.features().negotiated()) {
            features = queue.features(); // another front-end's
            frames = frames(features);
        }
        final int held = batch.size();
        try {
            for (int taken = 0; taken < ring.size && batch.room() > 0; taken++) {
                int mark = ring.mark();
                ring.clear();
                if (!ring.take(false)) {
                    break;
                }
                long length = ring.bytes - VhostBackendQueue.HEADER;
                if (length < SHORTEST || length > largest) {
                    queue.counters.errors++;
                } else if (!receive(ring, (int) ring.bytes, batch)) {
                    ring.rewind(mark);
                    break;
                }
                ring.put(ring.id, ring.entries, 0);
            }
        } finally {
            // Also when the front-end lied: what came before is good, and the application has it.
            queue.publish(ring);
        }
        return batch.size() - held;
    }

    /**
     * Copies a frame, with its header, into as many buffers as it takes.
     *
     * @return false when there are too few at present, or the batch has too little room for them
     */
    private boolean receive(DeviceRing ring, int bytes, FrameBatch batch) {
        int parts = (bytes + room - 1) / room;
        if (parts > batch.room() && parts <= batch.capacity()) {
            return false;
        }
        int given = pool.take(fresh, 0, parts);
        if (given < parts) {
            pool.give(fresh, 0, given);
            return false;
        }
        boolean copied = false;
        try {
            int from = 0;
            for (int i = 0; i < parts; i++) {
                int count = Math.min(room, bytes - from);
                frames.add(fresh[i], count - frames.notFrame());
                ring.copyOut(from, pool.memory(), pool.position(fresh[i]) + buffers.start(), count);
                from += count;
            }
            copied = true;
        } finally {
            if (!copied) {
                // The front-end has taken its memory away.
                frames.forget();
                pool.give(fresh, 0, parts);
            }
        }
        frames.deliver(batch);
        return true;
    }

    QueueCounters counters() {
        return queue.counters;
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
