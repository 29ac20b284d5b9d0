package io.doorbell.frame.ability;

/** Whom a frame is for, by its destination address. */
public enum Destination {
    /** One NIC, whose own address it is. */
    UNICAST,
    /** A multicast group, broadcasts excepted. */
    MULTICAST,
    /** Everyone: ff:ff:ff:ff:ff:ff. */
    BROADCAST
}
