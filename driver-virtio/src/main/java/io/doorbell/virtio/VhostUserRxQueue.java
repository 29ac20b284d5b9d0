package io.doorbell.virtio;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.spi.PollGate;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/** A receive queue behind a gate, where it outlives its back-end. */
final class VhostUserRxQueue implements RxQueue {

    private static final System.Logger LOG = System.getLogger(VhostUserRxQueue.class.getName());
    private static final int FIRST_RESCUED = TxTables.MOST;

    final PollGate gate;
    /** Whether there is no back-end. Changes while the gate is shut. */
    boolean offline;

    private final RxQueue queue;
    /** Frames that an earlier back-end had sent; null when there are none. */
    private @Nullable FrameBatch rescued;

    VhostUserRxQueue(String name, RxQueue queue) {
        this.gate = new PollGate(name);
        this.queue = queue;
    }

    @Override
    public int receive(FrameBatch batch) {
        if (!gate.enter()) {
            return 0;
        }
        try {
            if (rescued != null) {
                return deliver(rescued, batch);
            }
            return offline ? 0 : queue.receive(batch);
        } finally {
            gate.leave();
        }
    }

    private int deliver(FrameBatch from, FrameBatch to) {
        int before = to.size();
        while (!from.isEmpty() && from.slots(0) <= to.room()) {
            from.moveTo(to, 0);
        }
        if (!from.isEmpty() && from.slots(0) > to.capacity()) {
            from.release(0); // as any other receive queue does with a frame that no batch holds
        }
        if (from.isEmpty()) {
            rescued = null;
        }
        return to.size() - before;
    }

    /** Takes out of the ring what has arrived, before the ring is emptied. The gate is shut. */
    void rescue() {
        FrameBatch all = rescued == null ? new FrameBatch(FIRST_RESCUED) : rescued;
        try {
            while (true) {
                // Else a frame could be left behind for want of room, as if there were none.
                if (all.room() < TxTables.MOST) {
                    FrameBatch larger = new FrameBatch(2 * all.capacity());
                    deliver(all, larger);
                    all = larger;
                }
                if (queue.receive(all) == 0) {
                    break;
                }
            }
        } catch (BrokenDeviceException e) {
            LOG.log(Level.WARNING, "the back-end left its ring in disorder", e);
        }
        rescued = all.isEmpty() ? null : all;
    }

    /** Gives back what was rescued and not received since. The gate is shut, or nobody polls. */
    void forget() {
        if (rescued != null) {
            rescued.release();
            rescued = null;
        }
    }

    @Override
    public FramePool pool() {
        return queue.pool();
    }
}
