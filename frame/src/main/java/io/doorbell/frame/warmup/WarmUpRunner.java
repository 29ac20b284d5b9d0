package io.doorbell.frame.warmup;

import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Has an application's loop go through all that can happen to it, on NICs whose device is simulated between its turns. What
 * C2 has not seen happen it leaves out, and deoptimises the loop when it does happen. Whatever happens does so on all NICs
 * of a turn.
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

    /** The NICs of one turn. */
    private record Group(List<SimulatedNic> simulated, List<Nic> nics) {

        Group(List<SimulatedNic> simulated) {
            this(simulated, simulated.stream().map(SimulatedNic::nic).toList());
        }
    }

    /** For each NIC, the ways in which it may turn out to work. */
    private final List<List<SimulatedNic>> ways = new ArrayList<>();

    private final Consumer<List<Nic>> turn;
    /** Turns in which a ring runs empty that gets no buffers, or fills up. */
    private final int longTurns;

    private final CompilationMonitor monitor;
    private long turns;
    private long frames;

    /** @param ringSize of the largest ring */
    WarmUpRunner(Consumer<List<Nic>> turn, int ringSize, CompilationMonitor monitor) {
        this.turn = turn;
        this.longTurns = 2 + 2 * ringSize / BURST;
        this.monitor = monitor;
    }

    /** Adds a NIC, which is closed with this, in all the ways in which it may turn out to work. */
    void add(List<SimulatedNic> waysOfOne) {
        ways.add(waysOfOne);
    }

    WarmUp run() {
        List<Group> groups = groups();
        do {
            long end = System.nanoTime() + BUSY_NANOS;
            while (System.nanoTime() - end < 0 && !monitor.timeIsUp()) {
                groups.forEach(this::phases);
            }
            groups.forEach(this::idle);
        } while (monitor.anotherRound());
        return new WarmUp(turns, frames, monitor.time(), monitor.settled());
    }

    /** So few that each way of each NIC is in one of them. */
    private List<Group> groups() {
        for (int nic = 0; nic < ways.size(); nic++) {
            int own = nic;
            ways.get(nic).forEach(simulated -> simulated.among(own, ways.size()));
        }
        int most = ways.stream().mapToInt(List::size).max().orElseThrow();
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            int group = i;
            groups.add(new Group(
                    ways.stream().map(each -> each.get(group % each.size())).toList()));
        }
        return groups;
    }

    /** Closes all NICs, whatever becomes of one. */
    @Override
    public void close() {
        Cleanup cleanup = new Cleanup();
        ways.forEach(each -> each.forEach(simulated -> cleanup.then(simulated::close)));
        cleanup.end();
    }

    private void phases(Group group) {
        for (int burst : BURSTS) {
            poll(group, burst, SimulatedNic.ALL);
        }
        starve(group);
        for (int i = 0; i < longTurns; i++) {
            poll(group, BURST, 0);
        }
        poll(group, BURST, 1); // a ring that is all but full
        poll(group, 0, SimulatedNic.ALL);
        for (Nic nic : group.nics) {
            nic.linkState(); // by which a driver looks after its device, as it does when it has long been idle
        }
    }

    /** Somebody else has all buffers. */
    private void starve(Group group) {
        List<Drain> drains =
                group.nics.stream().map(Nic::pool).distinct().map(Drain::new).toList();
        for (int i = 0; i < longTurns; i++) {
            drains.forEach(Drain::open);
            try {
                poll(group, BURST, SimulatedNic.ALL);
            } finally {
                drains.forEach(Drain::close);
            }
        }
    }

    /** Takes all free buffers of a pool, and gives them back. */
    private static final class Drain {

        private final FramePool pool;
        private final int[] buffers;
        private int taken;

        Drain(FramePool pool) {
            this.pool = pool;
            this.buffers = new int[pool.buffers()];
        }

        void open() {
            taken = pool.allocate(buffers, 0, buffers.length);
        }

        void close() {
            pool.free(buffers, 0, taken);
            taken = 0;
        }
    }

    private void poll(Group group, int arriving, int departing) {
        for (SimulatedNic simulated : group.simulated) {
            frames += simulated.arrive(arriving);
        }
        turn.accept(group.nics);
        depart(group, departing);
        turns++;
    }

    private void depart(Group group, int departing) {
        for (SimulatedNic simulated : group.simulated) {
            frames += simulated.depart(departing);
        }
    }

    private void idle(Group group) {
        long end = System.nanoTime() + IDLE_NANOS;
        while (System.nanoTime() - end < 0 && !monitor.timeIsUp()) {
            for (int i = 0; i < BURST; i++) {
                turn.accept(group.nics);
            }
            turns += BURST;
            depart(group, SimulatedNic.ALL);
        }
    }
}
