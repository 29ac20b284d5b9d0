package io.doorbell.frame.ability;

/**
 * Frames that were lost in one way.
 *
 * @param cause where they were lost, and why
 * @param frames how many
 * @param counters which of the device's counters, and the driver's, say so
 * @param advice what helps
 */
public record Loss(String cause, long frames, String counters, String advice) {}
