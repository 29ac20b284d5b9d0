package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import java.util.Set;

/** How its link is negotiated can be chosen: {@code ethtool -s} of Linux. */
public interface LinkControl extends Ability {

    /** What was set last; {@link LinkSettings#automatic} when the NIC was opened. */
    LinkSettings settings();

    /**
     * Sets that, until it is set again; a stop or a reset changes nothing about it. The link goes down and comes up again if the
     * other end agrees.
     *
     * @throws io.doorbell.DoorbellException when a management controller keeps the link from being touched
     * @throws io.doorbell.frame.BrokenDeviceException when the device is gone
     */
    void settings(LinkSettings wanted);

    /** What the other end offers; empty while there is no link, or where it does not negotiate. */
    Set<LinkMode> partner();
}
