package io.doorbell.frame;

/**
 * A transmit ring. Belongs to one thread at a time; which thread that is may change as long as the hand-over is
 * synchronized.
 */
public interface TxQueue {

    /**
     * Sends the frames at the front of the batch, in order, as many as the ring has room for. Never waits. Frames that
     * were taken have left the batch, and their buffers go back to their pools when the device has read them; the
     * others are still in the batch, at its front, for another try. A frame that takes several slots
     * ({@link FrameBatch}) is sent as one, and taken whole or not at all.
     *
     * @return how many slots were emptied, each of which is a frame unless frames take several: 0 when the ring is full, or
     *     another thread is starting, stopping or resetting the NIC
     * @throws io.doorbell.DoorbellException when a frame cannot be sent (it is beyond {@link #limits}, or of a pool
     *     that this NIC does not know): none of the batch has been taken
     * @throws IllegalStateException when the NIC is stopped, or the queue has stopped since its device broke it
     * @throws NicClosedException when the NIC is closed
     */
    int send(FrameBatch batch);

    /**
     * What a frame may be and ask for, so that {@link #send} does not throw. Answers at any time and on any thread, at the
     * price of a look at a field; it holds until the NIC is reset, or another peer connects whose driver agreed on other features.
     */
    SendLimits limits();

    /**
     * Gives the buffers of frames that the device has read back to their pools. {@link #send} does so by itself when
     * the ring runs short; an application that is done sending can hurry it.
     *
     * @return how many frames are still on their way
     * @throws NicClosedException when the NIC is closed
     */
    int reclaim();
}
