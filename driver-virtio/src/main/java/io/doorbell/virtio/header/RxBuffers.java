package io.doorbell.virtio.header;

import io.doorbell.frame.FramePool;

/**
 * How a receive queue's buffers look to the device: the header, which the driver does not hand on, lies right in front
 * of the frame, in what will be the frame's headroom.
 *
 * @param pool where they come from
 * @param poolAddress where the device finds the start of the pool's memory
 * @param header bytes in the header that the device writes (5.1.6)
 */
public record RxBuffers(FramePool pool, long poolAddress, int header) {

    /** Polls in vain after which the device is asked whether it still works: about 20 ms of them. */
    public static final int IDLE_POLL_LIMIT = 1 << 20;

    private static final int BULK = 32;

    /** Bytes that the device may write behind the header. */
    public int largest() {
        return pool.bufferSize() - FramePool.HEADROOM;
    }

    /** Where in a buffer the device's part of it starts. */
    public int start() {
        return FramePool.HEADROOM - header;
    }

    /** Where the device finds a buffer's header. */
    public long deviceAddress(int buffer) {
        return poolAddress + pool.position(buffer) + FramePool.HEADROOM - header;
    }

    /** Descriptors that a queue arms at a time, so that pool, index and doorbell are touched once for all of them. */
    public static int refillThreshold(int queueSize) {
        return Math.max(1, Math.min(BULK, queueSize / 4));
    }
}
