package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import java.time.Duration;

/**
 * Its device can be told to interrupt less often than frames arrive: a thread that sleeps between frames then finds several at
 * once, and pays for fewer interrupts and system calls, with latency. {@code ethtool -C … rx-usecs} of Linux.
 *
 * <p>Polling is not concerned, since a thread that polls is not interrupted at all.
 */
public interface InterruptModeration extends Ability {

    /** Between two interrupts of a receive queue, at least; zero, as when the NIC was opened, for none to wait. */
    Duration interval();

    /**
     * Sets that, for all receive queues, until it is set again; a stop or a reset changes nothing about it. Fractions of what
     * the device counts in are rounded up.
     *
     * @param interval from zero to {@link #longest}
     * @throws io.doorbell.DoorbellException when it is neither, and when the device is gone
     */
    void interval(Duration interval);

    /** The longest {@link #interval} of the device. */
    Duration longest();
}
