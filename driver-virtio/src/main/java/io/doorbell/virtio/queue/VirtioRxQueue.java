package io.doorbell.virtio.queue;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.RxQueue;

/** A receive queue of either layout. */
public interface VirtioRxQueue extends RxQueue, Virtqueue {

    /** As {@link #receive}, of a queue that is not to go on: no fresh buffers are put into it, and none is asked for. */
    int collect(FrameBatch batch);

    /**
     * Asks the device to interrupt when it has received something, and gives it what buffers there are.
     *
     * @return whether there is no sense in waiting for that: something has arrived, the device has no buffers to receive
     *     into, or the queue does not run
     */
    boolean arm();

    /** Asks the device not to interrupt. */
    void disarm();
}
