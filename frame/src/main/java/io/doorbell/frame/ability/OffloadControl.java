package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;

/** Changing what received frames come with while the NIC runs. */
public interface OffloadControl extends Ability {

    /**
     * Changes what received frames may come with ({@link NicConfig#withReceiveOffloads}) to a part of what the NIC was
     * opened with, or back to all of it. Frames that the device has already put into a queue stay as they are.
     *
     * @param offloads bits of {@link Offloads}
     * @throws DoorbellException when the NIC was not opened with one of them, or the device refuses
     */
    void receiveOffloads(int offloads);
}
