package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import java.util.List;

/** Its counters say what they count, and which frames were lost, where, and what helps. */
public interface CounterReport extends Ability {

    /**
     * All counters of the device and of its driver, since the NIC was opened, in 64 bits whatever the device has. Nobody needs to
     * ask in time: the driver reads what would overflow before it does.
     *
     * @throws io.doorbell.frame.BrokenDeviceException when the device is gone
     */
    List<CounterValue> counters();

    /**
     * What frames were lost by, since the NIC was opened; empty when none was.
     *
     * @throws io.doorbell.frame.BrokenDeviceException when the device is gone
     */
    List<Loss> losses();
}
