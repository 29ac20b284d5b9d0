package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * A ring has not got on for long: the device takes nothing out of a transmit ring that is full, or a receive ring gets no
 * buffers from its pool. It is reported while that lasts, after 10 ms, 100 ms, 1 s and so on.
 */
@Name("doorbell.RingStall")
@Label("Ring Stall")
@Description("A ring stays full, or without buffers; reported after 10 ms, 100 ms, 1 s and so on")
@StackTrace(false)
public final class RingStall extends QueueEvent {

    /** Answers whether it is recorded. */
    private static final RingStall PROTOTYPE = new RingStall();

    @Label("Stalled For")
    @Description("How long so far")
    @Timespan(Timespan.NANOSECONDS)
    long stalledFor;

    private RingStall() {}

    /** Whether anybody records it. */
    public static boolean isRecorded() {
        return PROTOTYPE.isEnabled();
    }

    /**
     * Reports it.
     *
     * @param queue its name
     * @param nanoseconds how long so far
     */
    public static void report(String queue, String reason, long nanoseconds) {
        RingStall event = new RingStall();
        event.of(queue);
        event.reason = reason;
        event.stalledFor = nanoseconds;
        event.commit();
    }
}
