package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;

/**
 * It can do flow control by PAUSE frames, of which no application sees any: {@code ethtool -A} of Linux. A receiver whose rings
 * are not polled then holds up the other end, where frames would be lost otherwise.
 */
public interface FlowControl extends Ability {

    /** What was asked for last; {@link Pause#BOTH} when the NIC was opened. */
    Pause requested();

    /**
     * Asks for it, until something else is asked for; a stop or a reset changes nothing about it. Where the link is negotiated,
     * that starts anew, since the other end has a say.
     *
     * @throws io.doorbell.DoorbellException when a management controller keeps the link from being touched
     * @throws io.doorbell.frame.BrokenDeviceException when the device is gone
     */
    void request(Pause wanted);

    /** What both ends have agreed on; {@link Pause#NEITHER} while there is no link, and at half duplex. */
    Pause negotiated();
}
