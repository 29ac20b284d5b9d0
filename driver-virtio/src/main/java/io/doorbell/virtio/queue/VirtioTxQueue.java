package io.doorbell.virtio.queue;

import io.doorbell.frame.TxQueue;

/** A transmit queue of either layout. */
public interface VirtioTxQueue extends TxQueue, Virtqueue {

    /** Bytes in the frames that are still on their way, as of the latest {@link #reclaim}. */
    long unsentBytes();
}
