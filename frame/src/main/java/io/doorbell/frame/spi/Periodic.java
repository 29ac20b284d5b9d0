package io.doorbell.frame.spi;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Something that is done again and again, now and then, on a thread that all of these share, until it is closed. */
public final class Periodic implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Periodic.class.getName());

    private static final ScheduledExecutorService THREAD = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("doorbell now and then").factory());

    private final ScheduledFuture<?> work;

    /**
     * Begins when {@code period} is over for the first time.
     *
     * @param what its name, for the log
     * @param work short; what it throws is logged, and it is done again all the same
     */
    public Periodic(String what, Duration period, Runnable work) {
        long nanos = period.toNanos();
        this.work = THREAD.scheduleWithFixedDelay(() -> run(what, work), nanos, nanos, TimeUnit.NANOSECONDS);
    }

    private static void run(String what, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, what + " failed", e);
        }
    }

    /** Does it no more; does not wait for one that is under way. */
    @Override
    public void close() {
        work.cancel(false);
    }
}
