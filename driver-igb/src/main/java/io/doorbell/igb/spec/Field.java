package io.doorbell.igb.spec;

/**
 * Some adjacent bits of a register.
 *
 * @param name as in the data sheet
 * @param shift the lowest bit, 0 to 31
 * @param width how many bits, 1 to 32
 */
public record Field(String name, int shift, int width) {

    public static Field bit(String name, int shift) {
        return new Field(name, shift, 1);
    }

    public static Field bits(String name, int shift, int width) {
        return new Field(name, shift, width);
    }

    /** All of the field's bits set, at their place in the register. */
    public int mask() {
        return (int) ((1L << width) - 1) << shift;
    }

    /** The field with {@code value} in it, the rest of the register 0. */
    public int of(int value) {
        if ((value & ~(mask() >>> shift)) != 0) {
            throw new IllegalArgumentException(name + " has " + width + " bits, too few for " + value);
        }
        return value << shift;
    }

    /** What {@code register} has in the field. */
    public int in(int register) {
        return (register & mask()) >>> shift;
    }

    public boolean isSetIn(int register) {
        return (register & mask()) != 0;
    }
}
