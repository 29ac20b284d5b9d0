package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicStatistics;

/** Setting one queue up anew while the others go on; {@link Nic#reset} is for all of them. */
public interface QueueReset extends Ability {

    /**
     * Sets one receive queue up anew. Its own thread may call this, or another one while that does not poll. Frames in it
     * are dropped, and their buffers go back to the pool.
     *
     * @param index from 0 to {@link Nic#queues} − 1
     * @throws DoorbellException when the device does not do it
     */
    void resetRxQueue(int index);

    /**
     * Sets one transmit queue up anew, as {@link #resetRxQueue} does. Frames not yet sent count as
     * {@link NicStatistics#txErrors}.
     */
    void resetTxQueue(int index);
}
