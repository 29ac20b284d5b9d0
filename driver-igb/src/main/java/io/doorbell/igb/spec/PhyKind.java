package io.doorbell.igb.spec;

/**
 * The PHYs of the family, and how they differ: in registers beyond those of IEEE 802.3. Each has its crossover in some register,
 * and bits to be told besides: in the 82576, not to save power; in others, carrier sense on transmit and downshift.
 */
public enum PhyKind {
    /** In the 82576. Bit 1 of register 25 would have it negotiate a low speed to save power. */
    IGP3(new Crossovers(18, 0x3000, 0x0000, 0x2000, 0x1000), new Preparation(25, 0x0002, 0x0000), false),
    /** In the 82580 and the I350. */
    I82580(new Crossovers(18, 0x0600, 0x0000, 0x0200, 0x0400), new Preparation(22, 0x0000, 0x8c00), false),
    /** In the I210 and the I211, and beside the I354. What it is told takes effect by its reset. */
    M88(new Crossovers(16, 0x0060, 0x0000, 0x0020, 0x0060), new Preparation(16, 0x7002, 0x5800), true);

    /** Values of a register under a mask. */
    public record Crossovers(int register, int mask, int mdi, int mdix, int auto) {}

    /** Bits of a register to clear, and to set. */
    public record Preparation(int register, int clear, int set) {}

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers is
    private final Crossovers crossovers;

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers is
    private final Preparation preparation;

    private final boolean resetsToApply;

    PhyKind(Crossovers crossovers, Preparation preparation, boolean resetsToApply) {
        this.crossovers = crossovers;
        this.preparation = preparation;
        this.resetsToApply = resetsToApply;
    }

    public Crossovers crossovers() {
        return crossovers;
    }

    public Preparation preparation() {
        return preparation;
    }

    public boolean resetsToApply() {
        return resetsToApply;
    }
}
