package io.doorbell.frame.spi;

import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.QueueInterrupts;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** The alarms of one NIC. */
public final class QueueAlarms implements QueueInterrupts {

    private final Runnable checkOpen;
    private final IntFunction<Alarm> rx;
    private final Supplier<Alarm> link;

    /**
     * @param checkOpen throws when the NIC is closed
     * @param rx that of the receive queue with an index, or what an index is told that there is not
     * @param link that of the link
     */
    public QueueAlarms(Runnable checkOpen, IntFunction<Alarm> rx, Supplier<Alarm> link) {
        this.checkOpen = checkOpen;
        this.rx = rx;
        this.link = link;
    }

    @Override
    public Alarm rxAlarm(int queue) {
        checkOpen.run();
        return rx.apply(queue);
    }

    @Override
    public Alarm linkAlarm() {
        checkOpen.run();
        return link.get();
    }
}
