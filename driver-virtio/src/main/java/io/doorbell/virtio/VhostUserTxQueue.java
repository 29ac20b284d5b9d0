package io.doorbell.virtio;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.PollGate;

/** A transmit queue behind a gate, where it outlives its back-end. */
final class VhostUserTxQueue implements TxQueue {

    final PollGate gate;
    /** Whether there is no back-end. Changes while the gate is shut. */
    boolean offline;

    private final TxQueue queue;

    VhostUserTxQueue(String name, TxQueue queue) {
        this.gate = new PollGate(name);
        this.queue = queue;
    }

    @Override
    public int send(FrameBatch batch) {
        if (!gate.enter()) {
            return 0;
        }
        try {
            return offline ? 0 : queue.send(batch);
        } finally {
            gate.leave();
        }
    }

    @Override
    public int reclaim() {
        if (!gate.enter()) {
            return 0;
        }
        try {
            return offline ? 0 : queue.reclaim();
        } finally {
            gate.leave();
        }
    }
}
