package io.doorbell.frame;

import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.spi.Practice;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * Has an application's loop go through all that can happen to it, on NICs whose device is played between its turns. What
 * C2 has not seen happen it leaves out, and deoptimises the loop when it does happen.
 *
 * <p>A round is made of short scenes, so that the loop meets everything before it is compiled: traffic of all kinds, a
 * pool that has run out, a device that does not send. Then there is nothing to do for a while, on each NIC, since a
 * driver looks after its device when it has long been idle.
 */
final class Rehearsal implements AutoCloseable {

    private static final int[] BURSTS = {32, 0, 1, 32, 8, 0, 64, Practice.ALL};
    private static final int BURST = 32;
    private static final long BUSY_NANOS = Duration.ofMillis(60).toNanos();
    /** Longer than the million polls in vain after which a driver looks after its device. */
    private static final long IDLE_NANOS = Duration.ofMillis(50).toNanos();

    private final List<Practice> practices;
    private final Consumer<Nic> turn;
    /** Turns in which a ring runs empty that gets no buffers, or fills up. */
    private final int longTurns;

    private final Settling settling;
    private long turns;
    private long frames;

    /** @param ringSize of the larger ring */
    Rehearsal(List<Practice> practices, Consumer<Nic> turn, int ringSize, Settling settling) {
        this.practices = practices;
        this.turn = turn;
        this.longTurns = 2 + 2 * ringSize / BURST;
        this.settling = settling;
    }

    WarmUp run() {
        do {
            long end = System.nanoTime() + BUSY_NANOS;
            while (System.nanoTime() - end < 0 && !settling.timeIsUp()) {
                practices.forEach(this::scenes);
            }
            practices.forEach(this::pause);
        } while (settling.anotherRound());
        return new WarmUp(turns, frames, settling.time(), settling.settled());
    }

    /** Closes all NICs, whatever becomes of one. */
    @Override
    public void close() {
        Cleanup cleanup = new Cleanup();
        practices.forEach(practice -> cleanup.then(practice::close));
        cleanup.end();
    }

    private void scenes(Practice practice) {
        for (int burst : BURSTS) {
            play(practice, burst, Practice.ALL);
        }
        starve(practice);
        for (int i = 0; i < longTurns; i++) {
            play(practice, BURST, 0);
        }
        play(practice, BURST, 1); // a ring that is all but full
        play(practice, 0, Practice.ALL);
        practice.nic().linkState(); // by which a driver looks after its device, as it does when it has long been idle
    }

    /** Somebody else has all buffers. */
    private void starve(Practice practice) {
        Nic nic = practice.nic();
        FramePool pool = nic.rxQueue(0).pool();
        int[] buffers = new int[pool.buffers()];
        for (int i = 0; i < longTurns; i++) {
            int taken = pool.take(buffers, 0, buffers.length);
            try {
                play(practice, BURST, Practice.ALL);
            } finally {
                pool.give(buffers, 0, taken);
            }
        }
    }

    private void play(Practice practice, int arriving, int departing) {
        frames += practice.arrive(arriving);
        turn.accept(practice.nic());
        frames += practice.depart(departing);
        turns++;
    }

    private void pause(Practice practice) {
        Nic nic = practice.nic();
        long end = System.nanoTime() + IDLE_NANOS;
        while (System.nanoTime() - end < 0 && !settling.timeIsUp()) {
            for (int i = 0; i < BURST; i++) {
                turn.accept(nic);
            }
            turns += BURST;
            frames += practice.depart(Practice.ALL);
        }
    }
}
