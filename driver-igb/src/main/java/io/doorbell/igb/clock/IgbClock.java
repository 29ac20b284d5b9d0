package io.doorbell.igb.clock;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.RxStamp;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.igb.spec.ClockKind;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;

/** The clock of one NIC and its time stamps, as they are wanted and as the device has them. Used under the NIC's lock. */
public final class IgbClock {

    private static final long BILLION = 1_000_000_000;
    private static final int SIX_BYTES = 16;

    /** What the device stamps in its registers. In buffers, the 82580 and later could stamp all frames; the driver does not. */
    private static final Set<StampFilter> FILTERS = Set.copyOf(EnumSet.allOf(StampFilter.class));

    private final RegisterFile registers;
    private final ClockKind kind;
    private final SystemTime time;
    private final TimeStamps stamps;
    private boolean runs;

    /** With the system's time. */
    public IgbClock(RegisterFile registers, IgbModel model) {
        this(registers, model, systemTime(), System::nanoTime);
    }

    /** With another time, and another clock in place of the system's. */
    IgbClock(RegisterFile registers, IgbModel model, long start, LongSupplier monotonic) {
        this.registers = registers;
        this.kind = model.clock();
        this.time = new SystemTime(registers, kind, start, monotonic);
        this.stamps = new TimeStamps(registers, model);
    }

    private static long systemTime() {
        Instant now = Instant.now();
        return now.getEpochSecond() * BILLION + now.getNano();
    }

    /** Has the device do what is wanted, after a reset. */
    public void start() {
        time.start();
        stamps.start();
        runs = true;
    }

    /** Before a reset, which the device's clock does not survive: the system's is to go on from what it shows. */
    public void hold() {
        time.now();
    }

    /** After that, or when the device is gone. */
    public void stop() {
        runs = false;
        time.stop();
    }

    public long time() {
        return time.now();
    }

    public void time(long nanoseconds) {
        requireTime(nanoseconds, "a time of ");
        time.set(nanoseconds);
    }

    public void step(long nanoseconds) {
        long now = time.now();
        if (nanoseconds > Long.MAX_VALUE - now) {
            throw new DoorbellException(registers.nic() + ": a clock at " + now + " ns that is set forward by "
                    + nanoseconds + " ns is beyond its end, " + Long.MAX_VALUE + " ns: step it by less");
        }
        requireTime(now + nanoseconds, "a step of " + nanoseconds + " ns to ");
        time.step(nanoseconds);
    }

    private void requireTime(long nanoseconds, String what) {
        long most = kind.latest();
        if (nanoseconds < 0 || nanoseconds > most) {
            throw new DoorbellException(registers.nic() + ": " + what + nanoseconds
                    + " ns is not to be had: the clock shows 0 to " + most + " ns: choose an epoch by which it fits");
        }
    }

    public double rate() {
        return time.rate();
    }

    public void rate(double partsPerBillion) {
        // Not a number is not within either.
        if (!(Math.abs(partsPerBillion) <= kind.largestRate())) {
            throw new DoorbellException(registers.nic() + ": its clock goes up to " + kind.largestRate()
                    + " parts per billion faster or slower, not " + partsPerBillion
                    + ": choose such a rate, and bring it to the time by steps (PtpClock.step)");
        }
        time.rate(partsPerBillion);
    }

    public double largestRate() {
        return kind.largestRate();
    }

    public Set<StampFilter> filters() {
        return FILTERS;
    }

    public StampFilter filter() {
        return stamps.filter();
    }

    public void filter(StampFilter wanted) {
        stamps.filter(wanted);
        if (runs) {
            stamps.apply();
        }
    }

    /** Takes the latched stamp of a frame that has arrived, if there is one. */
    public Optional<RxStamp> takeRxStamp() {
        if (!runs || !TSYNCRXCTL_RXTT.isSetIn(registers.read(TSYNCRXCTL))) {
            return Optional.empty();
        }
        // RXSTMPH comes last, as it makes room for another stamp. In QEMU, RXSATRH does: then the low half tells
        // whether another
        // has come in between, whose time would be taken for that of this frame.
        int before = registers.read(RXSTMPL);
        int sourceLow = registers.read(RXSATRL);
        int attributes = (int) registers.take(RXSATRH, 0);
        int low = registers.read(RXSTMPL);
        int high = (int) registers.take(RXSTMPH, 0);
        if (low != before) {
            return Optional.empty();
        }
        return Optional.of(new RxStamp(time.of(high, low), source(attributes, sourceLow), sequence(attributes)));
    }

    /** The bytes of the wire are in the registers in their order, the first one lowest. */
    private static long source(int attributes, int low) {
        return Long.reverseBytes((attributes & 0xffffL) << 32 | Integer.toUnsignedLong(low)) >>> SIX_BYTES;
    }

    private static int sequence(int attributes) {
        return Short.toUnsignedInt(Short.reverseBytes((short) (attributes >>> 16)));
    }

    /** Takes the latched stamp of a frame that was sent, if there is one. */
    public OptionalLong takeTxStamp() {
        if (!runs || !TSYNCTXCTL_TXTT.isSetIn(registers.read(TSYNCTXCTL))) {
            return OptionalLong.empty();
        }
        int low = registers.read(TXSTMPL);
        return OptionalLong.of(time.of((int) registers.take(TXSTMPH, 0), low));
    }
}
