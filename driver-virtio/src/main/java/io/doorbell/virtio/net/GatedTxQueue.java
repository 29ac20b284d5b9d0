package io.doorbell.virtio.net;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.virtio.queue.VirtioTxQueue;

/** A transmit queue as the application has it: the ring's, behind a gate that the NIC shuts while it changes anything. */
final class GatedTxQueue implements TxQueue {

    final PollGate gate;

    /** The ring's, for whoever asks, outside the gate. */
    private volatile SendLimits limits;

    // ---- Behind the gate

    private VirtioTxQueue ring;
    /** Whether the device is away, and is waited for. */
    private boolean away;

    GatedTxQueue(String name, VirtioTxQueue ring) {
        this.gate = new PollGate(name);
        this.ring = ring;
        this.limits = ring.limits();
    }

    @Override
    public int send(FrameBatch batch) {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return away ? 0 : ring.send(batch);
        } finally {
            gate.leave();
        }
    }

    @Override
    public SendLimits limits() {
        return limits;
    }

    @Override
    public int reclaim() {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return away ? 0 : ring.reclaim();
        } finally {
            gate.leave();
        }
    }

    // ---- With the gate shut: the thread that changes the NIC

    VirtioTxQueue ring() {
        return ring;
    }

    void ring(VirtioTxQueue another) {
        ring = another;
        limits = another.limits();
    }

    void away(boolean isAway) {
        away = isAway;
    }
}
