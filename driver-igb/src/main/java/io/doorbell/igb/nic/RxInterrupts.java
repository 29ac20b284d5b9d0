package io.doorbell.igb.nic;

import io.doorbell.dma.kernel.EventFd;

/** The interrupts of receive queues, which are off until a thread is about to sleep. */
public interface RxInterrupts {

    /** Has the device interrupt for the next frame; what it has received before may go without. */
    void enable(int queue);

    void disable(int queue);

    /** What is signalled for a receive queue, once interrupts are in use. */
    EventFd event(int queue);
}
