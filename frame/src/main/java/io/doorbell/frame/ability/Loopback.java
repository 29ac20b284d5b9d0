package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;

/**
 * Frames that are sent come back and are received, as far as they are for this NIC, and none leave it. For tests of the way that
 * they take.
 */
public interface Loopback extends Ability {

    /**
     * Has frames come back, as soon as the link is up again ({@link io.doorbell.frame.Nic#awaitLink}): until {@link #stop}, or
     * until the NIC is stopped, reset or closed.
     *
     * @param point from where they are to come back
     * @throws DoorbellException when the NIC is stopped, or the device does not do it
     */
    void start(LoopbackPoint point);

    /** Has frames leave again, as soon as the link is up. Does nothing where they do. */
    void stop();
}
