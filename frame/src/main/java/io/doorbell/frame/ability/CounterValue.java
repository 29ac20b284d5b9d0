package io.doorbell.frame.ability;

/**
 * A counter.
 *
 * @param name the data sheet's, or of the driver's own, such as {@code rx[0].frames}
 * @param value since the NIC was opened
 * @param meaning what it counts
 */
public record CounterValue(String name, long value, String meaning) {}
