package io.doorbell.bench.env;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Time in which others work. */
public final class Pause {

    private Pause() {}

    /** Returns after {@code time}, and not before. */
    public static void of(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }
}
