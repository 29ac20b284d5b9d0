package io.doorbell.frame;

/**
 * A receive ring. Belongs to one thread at a time; which thread that is may change as long as the hand-over is
 * synchronized.
 */
public interface RxQueue {

    /**
     * Moves frames that have arrived to the end of the batch, as many as there are and fit. Never waits.
     *
     * <p>A frame that takes several slots ({@link FrameBatch}) comes whole: where the batch has too little room, it waits
     * for the next call. Where even an empty batch could not hold it, it is dropped, and counted in
     * {@link NicStatistics#rxErrors}.
     *
     * <p>What to do when this returns 0 is the application's choice. To poll on at once loses nothing and takes a core for
     * itself; {@link Thread#onSpinWait} in between leaves more to a sibling hyper-thread. A {@link
     * io.doorbell.frame.waiting.QueueWaiter} lets the thread sleep until there is a frame, where the NIC has {@link
     * io.doorbell.frame.ability.QueueInterrupts}. With any NIC, {@link java.util.concurrent.locks.LockSupport#parkNanos} gives
     * the core away, for some 50 µs more than it was asked for, in which frames wait in the ring. Do either only after many
     * polls in vain, and park for less time than it takes to fill the ring. Go on polling in any case, after a sleep of a
     * second at most: it is by polls that a NIC finds out what its device has done meanwhile.
     *
     * <p>The ring gets a fresh buffer from the queue's pool for each frame that it gave; where the pool has run out,
     * the ring receives less until frames are released.
     *
     * @return how many slots were filled, each of which is a frame unless frames may take several; 0 when none has
     *     arrived, or another thread is starting, stopping or resetting the NIC
     * @throws io.doorbell.DoorbellException when the device wrote something that cannot be: the queue has stopped
     * @throws IllegalStateException when the NIC is stopped, or the queue has stopped since its device broke it
     * @throws NicClosedException when the NIC is closed
     */
    int receive(FrameBatch batch);

    /** Where the ring's buffers come from, and therefore the frames that it receives. Thread-safe. */
    FramePool pool();
}
