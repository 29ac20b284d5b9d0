package io.doorbell.virtio;

/** Tells the device that one queue has new buffers (2.9). Rung once a batch at most, and only when the device asks. */
interface Doorbell {

    void ring();
}
