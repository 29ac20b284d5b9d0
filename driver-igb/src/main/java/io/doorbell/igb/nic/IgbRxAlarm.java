package io.doorbell.igb.nic;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.igb.ring.IgbRxRing;

/** Of frames in a receive ring, and of all that is done behind its gate. */
public final class IgbRxAlarm extends Alarm {

    private final IgbRxRing ring;
    private final RxInterrupts interrupts;
    private final int queue;

    public IgbRxAlarm(IgbRxRing ring, RxInterrupts interrupts, int queue) {
        this.ring = ring;
        this.interrupts = interrupts;
        this.queue = queue;
        ring.gate().onChange(this::ring);
    }

    @Override
    public boolean arm() {
        if (!ring.gate().enter()) {
            return true; // it opens soon, or is closed
        }
        try {
            event().clear(); // before the device is asked: what it tells from then on counts
            if (!ring.settle()) {
                return true;
            }
            interrupts.enable(queue);
            return !ring.settle();
        } finally {
            ring.gate().leave();
        }
    }

    @Override
    public void disarm() {
        if (ring.gate().enter()) {
            try {
                interrupts.disable(queue);
            } finally {
                ring.gate().leave();
            }
        }
    }

    @Override
    public EventFd event() {
        return interrupts.event(queue);
    }
}
