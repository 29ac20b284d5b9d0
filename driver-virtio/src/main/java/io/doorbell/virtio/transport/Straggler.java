package io.doorbell.virtio.transport;

/**
 * A device that was let go of before it had let go of its queues: it may still write to them, and to the buffers that
 * they hold, however long it takes.
 */
public interface Straggler {

    /** Whether it cannot any more. */
    boolean isGone();
}
