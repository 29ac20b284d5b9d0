package io.doorbell.virtio;

import io.doorbell.frame.TxQueue;

/** A transmit queue of either layout. */
interface VirtioTxQueue extends TxQueue, Virtqueue {}
