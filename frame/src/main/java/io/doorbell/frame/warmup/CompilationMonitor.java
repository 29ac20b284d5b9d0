package io.doorbell.frame.warmup;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Judges from round to round whether a warm-up has done its work: when all that can happen has happened once more, and
 * the JIT has rested meanwhile.
 */
final class CompilationMonitor {

    /** The compilers have rested if they have run for less than one in so many nanoseconds: some thread always is up to something. */
    private static final int REST = 200;

    private final LongSupplier clock;
    private final LongSupplier compiling;
    private final long start;
    private final long limit;
    private long roundStart;
    private long compiledBefore;
    private boolean settled;

    /**
     * @param clock in nanoseconds, as {@link System#nanoTime}
     * @param compiling how long compilers have run, in nanoseconds
     */
    CompilationMonitor(LongSupplier clock, LongSupplier compiling, Duration atMost) {
        this.clock = clock;
        this.compiling = compiling;
        this.start = clock.getAsLong();
        this.limit = atMost.toNanos();
        this.roundStart = start;
        this.compiledBefore = compiling.getAsLong();
    }

    /** A round is over; returns whether another one is of use. */
    boolean anotherRound() {
        long now = clock.getAsLong();
        long compiled = compiling.getAsLong();
        // Less than before: a compiler thread has ended, and has run until then.
        long ran = compiled < compiledBefore ? Long.MAX_VALUE : compiled - compiledBefore;
        boolean wasCut = timeIsUp();
        settled = !wasCut && ran < (now - roundStart) / REST;
        roundStart = now;
        compiledBefore = compiled;
        return !settled && !wasCut;
    }

    boolean timeIsUp() {
        return clock.getAsLong() - start >= limit;
    }

    boolean settled() {
        return settled;
    }

    Duration time() {
        return Duration.ofNanos(clock.getAsLong() - start);
    }
}
