package io.doorbell.frame.spi;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FramePool;

/**
 * What a pool must be like for a NIC to receive into its buffers.
 *
 * @param device what messages call the NIC, such as {@code "an igb"}
 * @param room bytes that a buffer has at least, behind the headroom
 * @param descriptors of the rings that are to use the pool, a buffer each
 */
public record PoolNeeds(String device, int room, int descriptors) {

    /** Frames that the application can hold on to while all rings are full. */
    private static final int APPLICATION_FRAMES = 1024;

    /** More buffers than any pool has, so that asking for too many is refused and not forgotten. */
    private static final long MOST = Integer.MAX_VALUE;

    /** The same of a pool that so many pairs of queues share, for each of which this is. */
    public PoolNeeds times(int pairs) {
        return new PoolNeeds(device, room, (int) Math.min(MOST, (long) pairs * descriptors));
    }

    /** How many buffers a pool gets that is made for this. */
    public int buffers() {
        return (int) Math.min(MOST, (long) descriptors + APPLICATION_FRAMES);
    }

    /**
     * Requires that a pool's buffers are large enough.
     *
     * @throws DoorbellException when they are not
     */
    public void requireRoom(int buffers, int bufferSize) {
        if (bufferSize < FramePool.HEADROOM + room) {
            throw new DoorbellException(device + " receives a frame into one buffer of at least "
                    + (FramePool.HEADROOM + room) + " bytes, headroom included, and the pool has " + buffers
                    + " buffers of " + bufferSize
                    + " bytes: choose a larger size with NicConfig.withBufferSize or FramePool.create");
        }
    }

    /**
     * Requires that a pool has enough buffers for the rings to be full.
     *
     * @throws DoorbellException when it has not
     */
    public void requireBuffers(FramePool pool) {
        if (pool.buffers() < descriptors) {
            throw new DoorbellException("the pool has " + pool + ", fewer than the " + descriptors
                    + " descriptors of the rings that are to use it: give it " + buffers()
                    + ", or choose smaller rings with NicConfig.withRingSizes");
        }
    }
}
