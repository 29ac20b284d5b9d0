package io.doorbell.frame.ability;

/** How far frames get before they come back. */
public enum LoopbackPoint {
    /** Through the queues and the MAC. */
    MAC,
    /** As far as the PHY, just before the wire. */
    PHY
}
