package io.doorbell.frame.warmup;

/**
 * A device's side of one queue, played by the thread that drives the other side, between its calls: simple and quick, and
 * trusting, since it knows its driver. Buffers of the queue are those that the driver has made available and the device
 * has not used; the device uses them in order, unless it is told otherwise.
 */
public interface SimulatedQueue {

    /** How many buffers there are for the device; {@code most} where there are more. */
    int available(int most);

    /** Where the driver has told the device to find a buffer: {@code ahead} is 0 for the next one, 1 for that behind. */
    long address(int ahead);

    /**
     * Uses the next {@code count} buffers, without looking if there are as many: whoever plays the device without a
     * driver learns what it costs.
     *
     * @param length bytes that the device says it has written into each; 0 where it sends
     */
    void use(int count, int length);

    /** As {@link #use}, in another manner where the device has one: out of order, or many as one. */
    default void useOtherwise(int count, int length) {
        use(count, length);
    }

    /** Whether the driver is to tell of new buffers from now on, where it can be asked not to. */
    default void enableNotifications(boolean on) {}
}
