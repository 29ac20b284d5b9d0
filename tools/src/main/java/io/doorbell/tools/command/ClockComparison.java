package io.doorbell.tools.command;

import io.doorbell.frame.ability.PtpClock;
import java.util.function.LongSupplier;

/**
 * A NIC's clock beside another one at a moment.
 *
 * @param clock what the NIC's showed, in nanoseconds
 * @param other what the other one showed in the middle of that reading
 * @param width how long the reading took, by the other one: the two belong together to within half of it
 */
record ClockComparison(long clock, long other, long width) {

    private static final double BILLION = 1e9;

    /** The quickest of some is the most exact. */
    private static final int READINGS = 10;

    static ClockComparison of(PtpClock clock, LongSupplier other) {
        ClockComparison best = once(clock, other);
        for (int i = 1; i < READINGS; i++) {
            ClockComparison next = once(clock, other);
            best = next.width < best.width ? next : best;
        }
        return best;
    }

    private static ClockComparison once(PtpClock clock, LongSupplier other) {
        long before = other.getAsLong();
        long time = clock.time();
        long width = other.getAsLong() - before;
        return new ClockComparison(time, before + width / 2, width);
    }

    /** How far the NIC's clock is ahead, in nanoseconds. */
    long ahead() {
        return clock - other;
    }

    /** By how many parts per billion the NIC's clock has been faster from an earlier moment on. */
    double driftSince(ClockComparison earlier) {
        long passed = other - earlier.other;
        return (clock - earlier.clock - passed) * BILLION / passed;
    }

    /** By how much that may be wrong. */
    double driftErrorSince(ClockComparison earlier) {
        return (width + earlier.width) / 2.0 * BILLION / (other - earlier.other);
    }
}
