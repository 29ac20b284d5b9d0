package io.doorbell.virtio.queue;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.RxQueue;

/** A receive queue of either layout. */
public interface VirtioRxQueue extends RxQueue, Virtqueue {

    /** As {@link #receive}, of a queue that is not to go on: no fresh buffers are put into it, and none is asked for. */
    int collect(FrameBatch batch);
}
