package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;

/**
 * Its link can rest between frames where the other end can too (IEEE 802.3, clause 78): {@code ethtool --set-eee} of Linux. It
 * takes some microseconds to wake up, which is why it does not unless it is told to.
 */
public interface EnergyEfficiency extends Ability {

    /** Whether it was told to; false when the NIC was opened. */
    boolean wanted();

    /**
     * Tells it to rest or not to, until it is told something else; a stop or a reset changes nothing about it. The link goes down
     * and comes up again.
     *
     * @throws io.doorbell.DoorbellException when a management controller keeps the link from being touched
     * @throws io.doorbell.frame.BrokenDeviceException when the device is gone
     */
    void want(boolean rests);

    /** Whether both ends have agreed on it. */
    boolean negotiated();
}
