package io.doorbell.frame.ability;

/**
 * The sum over some words of a NIC's memory, the last of which makes it what it should be.
 *
 * @param covers what the words are for, such as {@code port 0}
 * @param from the first of them
 * @param to the last of them
 * @param sum its lower 16 bits
 * @param expected what they should be
 */
public record NvmChecksum(String covers, int from, int to, int sum, int expected) {

    /** Whether it is what it should be: if not, the words are damaged, or nobody has ever written them. */
    public boolean valid() {
        return sum == expected;
    }
}
