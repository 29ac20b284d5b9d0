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
    private final int largest;
    private final int[] fresh = new int[1];
    private long errors;

    VhostBackendRxQueue(VhostBackendQueue queue, FramePool pool) {
        this.queue = queue;
        this.pool = pool;
        this.largest = pool.bufferSize() - FramePool.HEADROOM;
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
        final int room = batch.room();
        int count = 0;
        long bytes = 0;
        try {
            for (int taken = 0; taken < ring.size && count < room; taken++) {
                int mark = ring.mark();
                ring.clear();
                if (!ring.take(false)) {
                    break;
                }
                long length = ring.bytes - VhostBackendQueue.HEADER;
                if (length < SHORTEST || length > largest) {
                    errors++;
                } else if (pool.take(fresh, 0, 1) == 0) {
                    ring.rewind(mark);
                    break;
                } else {
                    int buffer = fresh[0];
                    batch.append(pool, buffer, FramePool.HEADROOM, (int) length);
                    count++;
                    bytes += length;
                    ring.copyOut(
                            VhostBackendQueue.HEADER, pool.memory(), pool.position(buffer) + FramePool.HEADROOM, (int)
                                    length);
                }
                ring.put(ring.id, ring.entries, 0);
            }
        } finally {
            // Also when the front-end lied: what came before is good, and the application has it.
            queue.counters.frames += count;
            queue.counters.bytes += bytes;
            queue.publish(ring);
        }
        return count;
    }

    QueueCounters counters() {
        return queue.counters;
    }

    /** Frames that were too short or too long. */
    long errors() {
        return errors;
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
