package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import java.util.List;

/**
 * Whether the device is sound, as far as it can be found out from here. Takes seconds: it waits for the link, unless the NIC is
 * stopped.
 */
public interface SelfTest extends Ability {

    /**
     * Does the tests that disturb no traffic. The others are among the results, as {@link SelfTestResult.Outcome#SKIPPED}.
     *
     * @return what became of each, in an order of its own
     */
    List<SelfTestResult> online();

    /**
     * Does all tests. The NIC is stopped for them, as {@link io.doorbell.frame.Nic#stop} does, and started again behind them if it
     * ran: its link comes up anew, its queues are empty, what it was told is as before. Threads may poll it meanwhile; they see no
     * frames, and a full transmit queue.
     *
     * @return what became of each, in an order of its own
     * @throws DoorbellException when the device does not come up again
     */
    List<SelfTestResult> offline();
}
