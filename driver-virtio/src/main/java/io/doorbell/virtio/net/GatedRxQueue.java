package io.doorbell.virtio.net;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.virtio.queue.IndirectTables;
import io.doorbell.virtio.queue.VirtioRxQueue;
import java.lang.System.Logger.Level;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A receive queue as the application has it: the ring's, behind a gate that the NIC shuts while it changes anything, with
 * what an earlier device left behind.
 */
final class GatedRxQueue implements RxQueue {

    private static final System.Logger LOG = System.getLogger(GatedRxQueue.class.getName());
    private static final int FIRST_RESCUED = IndirectTables.MOST;

    final PollGate gate;

    private final FramePool pool;

    // ---- Behind the gate

    private VirtioRxQueue ring;

    /** Whether the device is away, and is waited for. */
    private boolean away;
    /** Frames that had arrived before it went; null when there are none. */
    private @Nullable FrameBatch rescued;

    private final Supplier<@Nullable EventFd> interrupt;
    private final Alarm alarm = new RingAlarm();

    /** @param interrupt what the device interrupts by at present, if it does */
    GatedRxQueue(String name, VirtioRxQueue ring, Supplier<@Nullable EventFd> interrupt) {
        this.gate = new PollGate(name);
        this.gate.onChange(alarm::ring);
        this.interrupt = interrupt;
        this.pool = ring.pool();
        this.ring = ring;
    }

    @Override
    public int receive(FrameBatch batch) {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            if (rescued != null) {
                return deliver(rescued, batch);
            }
            return away ? 0 : ring.receive(batch);
        } finally {
            gate.leave();
        }
    }

    private int deliver(FrameBatch from, FrameBatch to) {
        int moved = from.moveTo(to);
        if (!from.isEmpty() && from.slots(0) > to.capacity()) {
            from.release(0); // as any other receive queue does with a frame that no batch holds
        }
        if (from.isEmpty()) {
            rescued = null;
        }
        return moved;
    }

    @Override
    public FramePool pool() {
        return pool;
    }

    /** Of frames, and of all that is done behind the gate. */
    Alarm alarm() {
        return alarm;
    }

    /** A gate that is shut is a reason to stay awake: it opens soon. */
    private final class RingAlarm extends Alarm {

        @Override
        public boolean arm() {
            if (!gate.enter()) {
                return true;
            }
            try {
                EventFd event = event();
                if (event != null) {
                    event.clear(); // before the device is asked: what it tells from then on counts
                }
                return rescued != null || (!away && ring.arm());
            } finally {
                gate.leave();
            }
        }

        @Override
        public void disarm() {
            if (gate.enter()) {
                try {
                    if (!away) {
                        ring.disarm();
                    }
                } finally {
                    gate.leave();
                }
            }
        }

        @Override
        public @Nullable EventFd event() {
            return interrupt.get();
        }
    }

    // ---- With the gate shut: the thread that changes the NIC

    VirtioRxQueue ring() {
        return ring;
    }

    /** Replaces the ring by one of the same pool. */
    void ring(VirtioRxQueue another) {
        ring = another;
    }

    void away(boolean isAway) {
        away = isAway;
    }

    /** Takes out of the ring what has arrived, before the ring is emptied. */
    void drain() {
        FrameBatch all = rescued == null ? new FrameBatch(FIRST_RESCUED) : rescued;
        try {
            do {
                // Else a frame could be left behind for want of room, as if there were none.
                if (all.remaining() < IndirectTables.MOST) {
                    FrameBatch larger = new FrameBatch(2 * all.capacity());
                    deliver(all, larger);
                    all = larger;
                }
            } while (ring.collect(all) > 0);
        } catch (BrokenDeviceException e) {
            LOG.log(Level.WARNING, "the device left its ring in disorder", e);
        } finally {
            rescued = all.isEmpty() ? null : all;
        }
    }

    /** Gives back what was rescued and not received since. */
    void forget() {
        if (rescued != null) {
            rescued.release();
            rescued = null;
        }
    }
}
