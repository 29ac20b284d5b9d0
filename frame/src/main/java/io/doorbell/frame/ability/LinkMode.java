package io.doorbell.frame.ability;

/** A speed and a duplex that a twisted pair can be run with. */
public enum LinkMode {
    TEN_HALF(10, false),
    TEN_FULL(10, true),
    HUNDRED_HALF(100, false),
    HUNDRED_FULL(100, true),
    GIGABIT_FULL(1000, true);

    private final int megabitsPerSecond;
    private final boolean fullDuplex;

    LinkMode(int megabitsPerSecond, boolean fullDuplex) {
        this.megabitsPerSecond = megabitsPerSecond;
        this.fullDuplex = fullDuplex;
    }

    /** In megabits a second. */
    public int megabitsPerSecond() {
        return megabitsPerSecond;
    }

    /** Whether both ends send at once. */
    public boolean fullDuplex() {
        return fullDuplex;
    }

    /** Such as {@code 100 Mb/s full duplex}. */
    @Override
    public String toString() {
        return megabitsPerSecond + " Mb/s " + (fullDuplex ? "full" : "half") + " duplex";
    }
}
