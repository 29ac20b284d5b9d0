package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.InterruptModeration;
import java.time.Duration;
import java.util.function.Consumer;

/** By EITR, which each vector has one of (82576 data sheet, 7.3.4). Counts in microseconds. */
final class IgbModeration implements InterruptModeration {

    private static final Duration LONGEST = Duration.ofNanos(IgbInterrupts.LONGEST_MICROS * 1000L);

    private final String nic;
    private final IgbInterrupts interrupts;
    private final Inquiry inquiry;
    private final Consumer<Runnable> change;

    /**
     * Of one NIC.
     *
     * @param change runs what it is given while nobody else changes the NIC, then tells the device; or throws
     */
    IgbModeration(String nic, IgbInterrupts interrupts, Inquiry inquiry, Consumer<Runnable> change) {
        this.nic = nic;
        this.interrupts = interrupts;
        this.inquiry = inquiry;
        this.change = change;
    }

    @Override
    public Duration interval() {
        return inquiry.ask(() -> Duration.ofNanos(interrupts.moderation() * 1000L));
    }

    @Override
    public void interval(Duration interval) {
        if (interval.isNegative() || interval.compareTo(LONGEST) > 0) {
            throw new DoorbellException(nic + " spreads interrupts out by 0 to " + LONGEST.toNanos() / 1000
                    + " microseconds, not " + interval + ": choose such an interval, or sleep between polls yourself");
        }
        change.accept(() -> interrupts.moderate((int) ((interval.toNanos() + 999) / 1000)));
    }

    @Override
    public Duration longest() {
        return inquiry.ask(() -> LONGEST);
    }
}
