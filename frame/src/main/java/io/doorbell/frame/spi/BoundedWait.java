package io.doorbell.frame.spi;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.doorbell.DoorbellException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for a device: never for ever, and never without saying for what. For set-up, not for the hot path. */
public final class BoundedWait {

    private static final long PAUSE_NANOS = 50_000;

    private BoundedWait() {}

    /**
     * Looks at least once, then again every 50 µs or so.
     *
     * @param limit how long; where that is no time at all, it looks once
     * @return whether the condition came true within {@code limit}
     */
    public static boolean until(BooleanSupplier condition, Duration limit) {
        long nanos = NANOSECONDS.convert(limit); // of a limit beyond 292 years, that
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start >= nanos) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return true;
    }

    /**
     * As {@link #until}, for a condition without which there is no going on.
     *
     * @param what the condition in words, such as {@code CTRL.RST to clear}
     * @param seen what the device shows at the end, for the message
     * @throws DoorbellException when the condition did not come true in time
     */
    public static void require(String what, BooleanSupplier condition, Duration limit, Supplier<String> seen) {
        if (!until(condition, limit)) {
            throw new DoorbellException("waited " + Math.max(0, MILLISECONDS.convert(limit)) + " ms for " + what
                    + ", in vain: " + seen.get());
        }
    }
}
