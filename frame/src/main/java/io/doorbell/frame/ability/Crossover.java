package io.doorbell.frame.ability;

/** Which pair of a twisted-pair cable is which (MDI and MDI-X). */
public enum Crossover {
    /** The PHY finds out. */
    AUTO,
    /** As a station has them. */
    MDI,
    /** Crossed, as a switch has them. */
    MDIX
}
