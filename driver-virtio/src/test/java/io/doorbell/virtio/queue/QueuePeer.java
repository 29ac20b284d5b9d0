package io.doorbell.virtio.queue;

import java.util.random.RandomGenerator;

/**
 * A device's side of one virtqueue, in Java: simple, not fast, and written from the specification's chapters for
 * devices, not from the driver. One thread; allocates nothing once made.
 */
interface QueuePeer {

    /** Begins anew, as a device does with a queue that has just been enabled. */
    void reset();

    /**
     * Takes the next available buffer.
     *
     * @return false when there is none
     */
    boolean take();

    /** The id of the buffer that was taken last. */
    int id();

    /** In how many pieces it is, by a chain of descriptors or a table of them. */
    int segments();

    /** Where in the device's memory a piece is. */
    long address(int part);

    /** Bytes in a piece. */
    int length(int part);

    /** Where its first piece is. */
    default long address() {
        return address(0);
    }

    /** Bytes in its first piece. */
    default int length() {
        return length(0);
    }

    /** Whether it is for the device to write. */
    boolean isWritable();

    /** Says that a buffer is used: the truth, if it was taken and not used since. */
    void use(int id, int length);

    /**
     * Says of {@code count} buffers in a row, the last of which is {@code id}, that they are used, by one entry or
     * descriptor (2.7.9, 2.8.9); to be said only of what is used in order.
     */
    void useBatch(int id, int length, int count);

    /** Lets the driver see what was used. */
    void publish();

    /** Writes anything anywhere that a device could. */
    void scramble(RandomGenerator random);
}
