package io.doorbell.frame.warmup;

import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * Has an application's loop go through all that can happen to it, on NICs whose device is simulated between its turns. What
 * C2 has not seen happen it leaves out, and deoptimises the loop when it does happen.
 *
 * <p>A round is made of short phases, so that the loop meets everything before it is compiled: traffic of all kinds, a
 * pool that has run out, a device that does not send. Then there is nothing to do for a while, on each NIC, since a
 * driver looks after its device when it has long been idle.
 */
final class WarmUpRunner implements AutoCloseable {

    private static final int[] BURSTS = {32, 0, 1, 32, 8, 0, 64, SimulatedNic.ALL};
    private static final int BURST = 32;
    private static final long BUSY_NANOS = Duration.ofMillis(60).toNanos();
    /** Longer than the million polls in vain after which a driver looks after its device. */
    private static final long IDLE_NANOS = Duration.ofMillis(50).toNanos();

    private final List<SimulatedNic> all;
    private final Consumer<Nic> turn;
    /** Turns in which a ring runs empty that gets no buffers, or fills up. */
    private final int longTurns;

    private final CompilationMonitor monitor;
    private long turns;
    private long frames;

    /** @param ringSize of the larger ring */
    WarmUpRunner(List<SimulatedNic> all, Consumer<Nic> turn, int ringSize, CompilationMonitor monitor) {
        this.all = all;
        this.turn = turn;
        this.longTurns = 2 + 2 * ringSize / BURST;
        this.monitor = monitor;
    }

    WarmUp run() {
        do {
            long end = System.nanoTime() + BUSY_NANOS;
            while (System.nanoTime() - end < 0 && !monitor.timeIsUp()) {
                all.forEach(this::phases);
            }
            all.forEach(this::idle);
        } while (monitor.anotherRound());
        return new WarmUp(turns, frames, monitor.time(), monitor.settled());
    }

    /** Closes all NICs, whatever becomes of one. */
    @Override
    public void close() {
        Cleanup cleanup = new Cleanup();
        all.forEach(simulated -> cleanup.then(simulated::close));
        cleanup.end();
    }

    private void phases(SimulatedNic simulated) {
        for (int burst : BURSTS) {
            poll(simulated, burst, SimulatedNic.ALL);
        }
        starve(simulated);
        for (int i = 0; i < longTurns; i++) {
            poll(simulated, BURST, 0);
        }
        poll(simulated, BURST, 1); // a ring that is all but full
        poll(simulated, 0, SimulatedNic.ALL);
        simulated.nic().linkState(); // by which a driver looks after its device, as it does when it has long been idle
    }

    /** Somebody else has all buffers. */
    private void starve(SimulatedNic simulated) {
        FramePool pool = simulated.nic().pool();
        int[] buffers = new int[pool.buffers()];
        for (int i = 0; i < longTurns; i++) {
            int taken = pool.take(buffers, 0, buffers.length);
            try {
                poll(simulated, BURST, SimulatedNic.ALL);
            } finally {
                pool.give(buffers, 0, taken);
            }
        }
    }

    private void poll(SimulatedNic simulated, int arriving, int departing) {
        frames += simulated.arrive(arriving);
        turn.accept(simulated.nic());
        frames += simulated.depart(departing);
        turns++;
    }

    private void idle(SimulatedNic simulated) {
        Nic nic = simulated.nic();
        long end = System.nanoTime() + IDLE_NANOS;
        while (System.nanoTime() - end < 0 && !monitor.timeIsUp()) {
            for (int i = 0; i < BURST; i++) {
                turn.accept(nic);
            }
            turns += BURST;
            frames += simulated.depart(SimulatedNic.ALL);
        }
    }
}
