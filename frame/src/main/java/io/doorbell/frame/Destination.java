package io.doorbell.frame;

/** Whom a frame is for, by its destination address. */
public enum Destination {
    /** One station. */
    STATION,
    /** A multicast group, broadcasts excepted. */
    GROUP,
    /** Everyone: ff:ff:ff:ff:ff:ff. */
    EVERYONE
}
