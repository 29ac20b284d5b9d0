package io.doorbell.virtio.spec;

/** Tells the device that one queue has new buffers (2.9). Rung once a batch at most, and only when the device asks. */
public interface Doorbell {

    void ring();
}
