package io.doorbell.igb.nic;

import io.doorbell.igb.ring.RxFormat;

/** What the device is told of its queues, in this order. */
public interface QueueSetup {

    /** What goes for all receive queues: lengths, checksums, VLAN tags. */
    void setUpReceivers(RxFormat format);

    /**
     * Tells of one receive ring, which is empty.
     *
     * @param ring where it is, as the device sees it
     * @param bytesPerBuffer what the device may write into a buffer; a multiple of 1024
     */
    void setUpReceive(int queue, long ring, int descriptors, int bytesPerBuffer);

    /** Turns the receiver on, once its queues are enabled and before their rings are given descriptors. */
    void enableReceiver();

    /** Tells of one transmit ring, which is empty. */
    void setUpTransmit(int queue, long ring, int descriptors);

    /** Turns the transmitter on, once its queues are enabled. */
    void enableTransmitter();
}
