package io.doorbell.igb.spec;

/**
 * The clocks of the family (SYSTIM; 82576 data sheet, 8.16). What Linux knows of them is in {@code igb_ptp.c}: where two numbers
 * are the same, that is why.
 */
public enum ClockKind {
    /**
     * That of the 82576: SYSTIM has 19 bits of fraction under 45 bits of nanoseconds, which are over after 9.77 hours. TIMINCA is
     * what is added to it every 16 ns, in 24 bits, so that a rate comes in steps of 119 parts per billion.
     */
    COARSE(45, 19, 999_999_880),
    /**
     * That of the 82580 and of what came after it: 40 bits of nanoseconds, which are over after 18.3 minutes. TIMINCA is what each
     * 8 ns are longer or shorter, in 2<sup>-32</sup> ns, and its highest bit says which. These devices could put a stamp into the
     * buffer of every received frame as well (SRRCTL.TIMESTAMP), which the driver does not ask for.
     */
    FINE(40, 0, 62_499_999),
    /** That of the I210: as the one before, but of seconds in SYSTIMH and nanoseconds in SYSTIML, which can be set. */
    SECONDS(64, 0, 62_499_999);

    private static final double BILLION = 1e9;
    /** With the highest byte of TIMINCA, a period of 16 ns. */
    private static final int EVERY_16_NANOSECONDS = 1 << 24;

    private static final int NOMINAL = 16 << 19;
    private static final double PER_8_NANOSECONDS = 8.0 * (1L << 32);
    private static final int SHORTER = 1 << 31;
    private static final long SECONDS_IN_32_BITS = 1L << 32;

    private final int bits;
    private final int fraction;
    private final int largestRate;

    ClockKind(int bits, int fraction, int largestRate) {
        this.bits = bits;
        this.fraction = fraction;
        this.largestRate = largestRate;
    }

    /** Bits of a time in nanoseconds, after which it starts anew; 64 where it does not. */
    public int bits() {
        return bits;
    }

    /** The most by which it can be made faster or slower, in parts per billion. */
    public int largestRate() {
        return largestRate;
    }

    /** The latest time that it can show, in nanoseconds: the driver has 64 bits, and a register of seconds 32. */
    public long latest() {
        return canBeSet() ? SECONDS_IN_32_BITS * (long) BILLION - 1 : Long.MAX_VALUE;
    }

    /** Whether its registers take another time; else another time is a number that the driver adds. */
    public boolean canBeSet() {
        return equals(SECONDS);
    }

    /** Whether it stands until TSAUXC is cleared, and has a register of less than nanoseconds (SYSTIMR), to be read first. */
    public boolean canBeSwitchedOff() {
        return !equals(COARSE);
    }

    /** The nanoseconds in two registers, of the clock or of a time stamp. */
    public long nanoseconds(int high, int low) {
        return equals(SECONDS)
                ? Integer.toUnsignedLong(high) * (long) BILLION + Integer.toUnsignedLong(low)
                : ((long) high << 32 | Integer.toUnsignedLong(low)) >>> fraction;
    }

    /** What TIMINCA is to hold for a clock that is so many parts per billion too fast. */
    public int increment(double partsPerBillion) {
        if (equals(COARSE)) {
            return EVERY_16_NANOSECONDS | (NOMINAL + (int) Math.round(NOMINAL * (partsPerBillion / BILLION)));
        }
        int magnitude = (int) Math.round(Math.abs(partsPerBillion) / BILLION * PER_8_NANOSECONDS);
        return partsPerBillion < 0 ? magnitude | SHORTER : magnitude;
    }

    /** What a clock does with this in TIMINCA, in parts per billion. */
    public double rate(int increment) {
        if (equals(COARSE)) {
            int value = increment & (EVERY_16_NANOSECONDS - 1);
            return (value - NOMINAL) * BILLION / NOMINAL;
        }
        double magnitude = (increment & ~SHORTER) * BILLION / PER_8_NANOSECONDS;
        return increment < 0 ? -magnitude : magnitude;
    }
}
