package io.doorbell.virtio;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.TxQueue;
import java.lang.System.Logger.Level;

/** A transmit queue behind a gate, where it outlives its back-end. */
final class VhostUserTxQueue implements TxQueue {

    private static final System.Logger LOG = System.getLogger(VhostUserTxQueue.class.getName());

    final VhostGate gate = new VhostGate();
    /** Whether there is no back-end. Changes while the gate is shut. */
    boolean offline;

    private final TxQueue queue;

    VhostUserTxQueue(TxQueue queue) {
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

    /** Frames that the back-end, which is gone, may or may not have sent. The gate is shut. */
    int unsent() {
        try {
            return queue.reclaim();
        } catch (BrokenDeviceException e) {
            LOG.log(Level.WARNING, "the back-end left its ring in disorder", e);
            return 0;
        }
    }
}
