package io.doorbell.igb.spec;

import io.doorbell.igb.spec.Reg.ReadWrite;

/**
 * The registers of a function's rings, each an array over its queues (82576 data sheet, 8.10 and 8.12). A port and a virtual
 * function have the same, at different offsets.
 */
public record RingRegisters(
        ReadWrite rdbal,
        ReadWrite rdbah,
        ReadWrite rdlen,
        ReadWrite srrctl,
        ReadWrite rdh,
        ReadWrite rdt,
        ReadWrite rxdctl,
        ReadWrite tdbal,
        ReadWrite tdbah,
        ReadWrite tdlen,
        ReadWrite tdh,
        ReadWrite tdt,
        ReadWrite txdctl) {}
