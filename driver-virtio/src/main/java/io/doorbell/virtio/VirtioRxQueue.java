package io.doorbell.virtio;

import io.doorbell.frame.RxQueue;

/** A receive queue of either layout. */
interface VirtioRxQueue extends RxQueue, Virtqueue {}
