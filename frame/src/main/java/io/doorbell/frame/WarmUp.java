package io.doorbell.frame;

import java.time.Duration;

/**
 * What {@link Nic#warmUp} has done.
 *
 * @param turns how often the application's turn was called
 * @param frames how many frames the application was offered, and how many it sent, in all
 * @param time how long that took
 * @param settled whether the JIT had nothing left to compile; false when the time was up first
 */
public record WarmUp(long turns, long frames, Duration time, boolean settled) {}
