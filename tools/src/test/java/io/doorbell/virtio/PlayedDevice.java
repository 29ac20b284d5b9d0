package io.doorbell.virtio;

/** A device's side of one virtqueue. */
interface PlayedDevice {

    /** Uses the next {@code count} buffers, and says that it has written {@code length} bytes into each. */
    void use(int count, int length);
}
