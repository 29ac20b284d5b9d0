package io.doorbell.frame.ability;

import java.util.OptionalInt;

/**
 * One of a device's registers as a person wants to see it.
 *
 * @param name as in the data sheet, with the index in brackets if it is one of an array: {@code RDT[0]}
 * @param offset in bytes from the start of its BAR
 * @param value its 32 bits; empty when reading it would have changed the device
 * @param section where the data sheet describes it
 * @param decoded its fields in words, such as {@code LU FD SPEED=1000}; empty when nothing is set or it is a number
 */
public record RegisterValue(String name, long offset, OptionalInt value, String section, String decoded) {}
