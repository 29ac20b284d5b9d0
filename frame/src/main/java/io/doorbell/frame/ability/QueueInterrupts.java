package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;

/**
 * Its queues can wake a thread that sleeps. Applications wait by {@link io.doorbell.frame.waiting.QueueWaiter}, which asks
 * for this.
 */
public interface QueueInterrupts extends Ability {

    /**
     * What tells of frames in a receive queue, and of all that changes about it; for one thread at a time, the queue's.
     *
     * @param queue from 0 to {@link io.doorbell.frame.Nic#queues} − 1
     * @throws io.doorbell.frame.NicClosedException when the NIC is closed
     */
    Alarm rxAlarm(int queue);

    /**
     * What tells that the link has come up or gone down, or is faster or slower than before: once for each change, whoever
     * sees it first. For one thread at a time.
     *
     * @throws io.doorbell.frame.NicClosedException when the NIC is closed
     */
    Alarm linkAlarm();
}
