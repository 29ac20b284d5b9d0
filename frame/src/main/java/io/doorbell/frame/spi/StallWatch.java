package io.doorbell.frame.spi;

import io.doorbell.frame.event.RingStall;
import java.util.function.LongSupplier;

/**
 * Notices that a ring does not get on for long, and reports it as {@link RingStall}. A ring tells of each poll that was in
 * vain for want of room or buffers, and of no other: so it costs something in that case only, and while somebody records.
 * Belongs to the thread that polls.
 */
public final class StallWatch {

    private static final long FIRST_REPORT = 10_000_000;
    private static final int NEXT_REPORT = 10;

    /** At a place where a ring keeps anything else when it gets on. */
    private static final int MARK = -1;

    private final String queue;
    private final String reason;
    private final LongSupplier clock;

    /** Where the ring is stuck. */
    private long position;

    private long since;
    /** How long after that the next report is due; 0 if nothing is known to be stuck. */
    private long due;

    private StallWatch(String queue, String reason, LongSupplier clock) {
        this.queue = queue;
        this.reason = reason;
        this.clock = clock;
    }

    /** For a transmit ring of this name, which is full. */
    public static StallWatch full(String queue) {
        return full(queue, System::nanoTime);
    }

    static StallWatch full(String queue, LongSupplier clock) {
        return new StallWatch(queue, "full: the device takes nothing out of it", clock);
    }

    /** For a receive ring of this name, whose pool has run out. */
    public static StallWatch starved(String queue) {
        return new StallWatch(queue, "no buffers: the pool has run out", System::nanoTime);
    }

    /**
     * Takes note of a poll that was in vain.
     *
     * @param here where the ring is: another number once it has got on
     */
    public void stuck(long here) {
        if (!RingStall.isRecorded()) {
            return;
        }
        if (here != position) {
            due = 0;
            position = here;
        }
        look();
    }

    /**
     * As {@link #stuck(long)}, for a ring that does not count what it does.
     *
     * @param entries of which the ring overwrites that at {@code index}, with what is not negative, when it gets on
     */
    public void stuck(int[] entries, int index) {
        if (!RingStall.isRecorded()) {
            return;
        }
        if (entries[index] != MARK) {
            entries[index] = MARK;
            due = 0;
        }
        look();
    }

    private void look() {
        long now = clock.getAsLong();
        if (due == 0) {
            since = now;
            due = FIRST_REPORT;
        }
        long stuck = now - since;
        if (stuck >= due) {
            RingStall.report(queue, reason, stuck);
            while (due <= stuck) {
                due *= NEXT_REPORT;
            }
        }
    }
}
