package io.doorbell.igb.clock;

import static io.doorbell.igb.spec.IgbRegisters.SYSTIMH;
import static io.doorbell.igb.spec.IgbRegisters.SYSTIML;
import static io.doorbell.igb.spec.IgbRegisters.SYSTIMR;
import static io.doorbell.igb.spec.IgbRegisters.TIMINCA;
import static io.doorbell.igb.spec.IgbRegisters.TSAUXC;

import io.doorbell.igb.spec.ClockKind;
import io.doorbell.igb.spec.RegisterFile;
import java.util.function.LongSupplier;

/**
 * The time of the device's clock, in 64 bits. A clock that cannot be set gets a number added to it, and one that has fewer bits is
 * known to have started anew by the system's clock: the time is the one nearest to what that expects of those which the bits
 * stand for. So it may be read as rarely as one likes, as long as the two do not drift apart by half of what the bits hold, which
 * takes weeks at the worst.
 */
final class SystemTime {

    private static final double BILLION = 1e9;

    private final RegisterFile registers;
    private final ClockKind kind;
    private final LongSupplier monotonic;

    private int increment;
    /** What is to be added to the nanoseconds of the registers, if the clock cannot be set. */
    private long offset;

    /** What it showed when it was read or set last, and when that was. */
    private long seen;

    private long seenAt;

    /** Whether the device counts. */
    private boolean runs;

    /** @param monotonic the system's nanoseconds, which no one sets */
    SystemTime(RegisterFile registers, ClockKind kind, long start, LongSupplier monotonic) {
        this.registers = registers;
        this.kind = kind;
        this.monotonic = monotonic;
        this.increment = kind.increment(0);
        this.seen = start;
        this.seenAt = monotonic.getAsLong();
    }

    /** Starts the device's clock after a reset, with the time that it would have by now. */
    void start() {
        if (kind.canBeSwitchedOff()) {
            registers.write(TSAUXC, 0);
        }
        registers.write(TIMINCA, increment);
        runs = true;
        set(expected());
    }

    /** From now on there is the system's clock only, which goes on from what was seen last. Touches nothing. */
    void stop() {
        runs = false;
    }

    long now() {
        long expected = expected();
        return see(runs ? whole(read(), expected) : expected);
    }

    /** The time that a stamp stands for: one that is not far from now. */
    long of(int high, int low) {
        return whole(kind.nanoseconds(high, low), now());
    }

    void set(long time) {
        if (runs && kind.canBeSet()) {
            registers.write(SYSTIML, (int) (time % (long) BILLION));
            registers.write(SYSTIMH, (int) (time / (long) BILLION));
        } else if (runs) {
            offset = time - read();
        }
        see(time);
    }

    /** Adds to the time; where the device's clock stays as it is, without losing any. */
    void step(long nanoseconds) {
        long now = now();
        if (kind.canBeSet()) {
            set(now + nanoseconds);
        } else {
            offset += nanoseconds;
            seen += nanoseconds;
        }
    }

    double rate() {
        return kind.rate(increment);
    }

    void rate(double partsPerBillion) {
        now(); // what has passed until now has passed at the old rate
        increment = kind.increment(partsPerBillion);
        if (runs) {
            registers.write(TIMINCA, increment);
        }
    }

    private long see(long time) {
        seen = time;
        seenAt = monotonic.getAsLong();
        return time;
    }

    private long expected() {
        long passed = monotonic.getAsLong() - seenAt;
        return seen + passed + Math.round(passed * (rate() / BILLION));
    }

    private long read() {
        if (kind.canBeSwitchedOff()) {
            registers.read(SYSTIMR);
        }
        int low = registers.read(SYSTIML);
        return kind.nanoseconds(registers.read(SYSTIMH), low);
    }

    /** Of the times that end in these bits, the one nearest to another. */
    private long whole(long nanoseconds, long near) {
        int missing = Long.SIZE - kind.bits();
        long difference = nanoseconds + offset - near;
        return near + (difference << missing >> missing);
    }
}
