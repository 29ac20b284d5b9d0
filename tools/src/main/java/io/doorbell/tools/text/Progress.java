package io.doorbell.tools.text;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/**
 * Tells a person how a long job gets on: a line a step, with its duration, and a count within a step that counts. On a
 * terminal the line of the running step is written over; elsewhere it is written when the step is over, and a count
 * every tenth of the way. Thread-safe.
 */
public final class Progress implements Steps {

    private static final String TICK = "\u2713";
    private static final String CROSS = "\u2717";
    private static final String CLEAR_LINE = "\r\u001b[K";
    private static final long REFRESH_NANOS = 100_000_000L;

    private final PrintStream err;
    private final boolean terminal;
    private @Nullable String running;
    private long startNanos;
    private long shownNanos;
    private int shownTenths;

    public Progress(Console console) {
        err = console.err();
        terminal = console.terminal();
    }

    @Override
    public synchronized void begin(String what) {
        running = what;
        startNanos = System.nanoTime();
        shownNanos = startNanos;
        shownTenths = 0;
        if (terminal) {
            err.print(CLEAR_LINE + "  " + what + " …");
            err.flush();
        }
    }

    /** How far the running step is. */
    public synchronized void count(long done, long of) {
        if (running == null) {
            return;
        }
        long now = System.nanoTime();
        if (terminal) {
            if (now - shownNanos >= REFRESH_NANOS) {
                err.print(CLEAR_LINE + "  " + running + ": " + ratio(done, of));
                err.flush();
                shownNanos = now;
            }
            return;
        }
        int tenths = (int) (done * 10 / of);
        if (tenths > shownTenths && tenths < 10) {
            shownTenths = tenths;
            err.printf("  … %s%n", ratio(done, of));
        }
    }

    @Override
    public synchronized void done(String result) {
        end(TICK, result);
    }

    /** The running step, if any, did not succeed; the message follows from whoever reports it. */
    public synchronized void failed() {
        end(CROSS, "");
    }

    private void end(String mark, String result) {
        String what = running;
        if (what == null) {
            return;
        }
        running = null;
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        err.printf(
                "%s%s %-72s %5.1f s%n",
                terminal ? CLEAR_LINE : "", mark, result.isEmpty() ? what : what + ": " + result, seconds);
    }

    private static String ratio(long done, long of) {
        return String.format("%,d of %,d (%d %%)", done, of, done * 100 / of);
    }
}
