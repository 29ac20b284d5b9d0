package io.doorbell.virtio.queue;

import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.util.List;

/**
 * A ring through which one chain of buffers goes at a time: no match for frames, and enough for commands. One thread at a
 * time.
 */
public sealed interface ChainRing permits SplitChainRing, PackedChainRing {

    /** Descriptors that a chain can have. */
    int LONGEST = 3;

    /**
     * One buffer of a chain; those that the device writes come last (2.6).
     *
     * @param address where the device finds it
     * @param length in bytes, at least 1
     */
    record Part(long address, int length, boolean deviceWrites) {}

    QueueAddresses addresses();

    /** Empties the ring's memory, as the device expects to find it when the queue is enabled. */
    void prepare();

    void start(Doorbell doorbell);

    /** Makes a chain available; the one before must have come back. */
    void put(List<Part> chain);

    /**
     * Whether the chain has come back.
     *
     * @throws io.doorbell.frame.BrokenDeviceException when the device names another one
     */
    boolean done();
}
