package io.doorbell.frame.warmup;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.frame.NicConfig;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * What the warm-up of an application's loop has done.
 *
 * @param polls how often the application's loop was called
 * @param frames how many frames the application was offered, and how many it sent, in all
 * @param time how long that took
 * @param settled whether the JIT had nothing left to compile; false when the time was up first
 */
public record WarmUp(long polls, long frames, Duration time, boolean settled) {

    /**
     * Warms up an application's loop, so that it loses nothing when the NIC is opened: calls one turn of it again and
     * again, with simulated NICs, until the JIT has compiled all that it is going to. They are of the classes that the
     * real one will be of. Frames arrive there, of several lengths and protocols, and leave; there are none for a while,
     * too many, or no buffers.
     *
     * <p>Call it before {@link Nic#open}, with the same arguments. The turn should be what the loop calls later on, and not
     * wait. It may keep frames from call to call in a batch that goes out of use with the warm-up: its frames do. A pool
     * of the application's ({@link NicConfig#withPool}) is emptied for moments: no other NIC may be using it.
     *
     * @param atMost when to leave off even if something is still being compiled
     * @param turn receives, looks, sends and releases, as the application does
     * @throws DoorbellException when the NIC's driver has no simulated ones, or the NIC could not be opened so either
     */
    public static WarmUp run(String name, NicConfig config, Duration atMost, Consumer<Nic> turn) {
        SequencedMap<String, NicConfig> one = new LinkedHashMap<>();
        one.put(name, config);
        return run(one, atMost, nics -> turn.accept(nics.getFirst()));
    }

    /**
     * As {@link #run(String, NicConfig, Duration, Consumer)}, for a loop that works on several NICs: each turn gets one of
     * each. Frames arrive on all of them, from a neighbour of each. Some are for the next NIC's neighbour, as a switch
     * meets them.
     *
     * <p>A NIC may turn out to work in one of several ways (a virtio device with split rings or packed ones, say). Each
     * way of each NIC comes up, beside some way of the others, but not every combination: the JIT compiles for the
     * classes that a call has met, and not for who was met beside whom. NICs of all ways are open at the same time, so
     * that a pool of the application's should have buffers for the receive rings of up to four ways of each.
     *
     * @param nics how each is going to be opened; the turn gets them in this order
     * @param turn receives, looks, sends and releases on all of them, as the application does; the list stays the same
     *     until other ways are tried
     * @throws DoorbellException when a NIC's driver has no simulated ones, or a NIC could not be opened so either
     */
    public static WarmUp run(SequencedMap<String, NicConfig> nics, Duration atMost, Consumer<List<Nic>> turn) {
        if (!atMost.isPositive()) {
            throw new IllegalArgumentException("a warm-up takes some time: atMost must be positive, not " + atMost);
        }
        if (nics.isEmpty()) {
            throw new IllegalArgumentException("a warm-up is for one NIC or more: nics is empty");
        }
        CompilationMonitor monitor = new CompilationMonitor(System::nanoTime, new CompilerTime(), atMost);
        try (WarmUpRunner runner = new WarmUpRunner(turn, largestRing(nics), monitor)) {
            nics.forEach((name, config) -> runner.add(simulated(name, config)));
            return runner.run();
        }
    }

    private static int largestRing(SequencedMap<String, NicConfig> nics) {
        return nics.values().stream()
                .mapToInt(config -> Math.max(config.rxRingSize(), config.txRingSize()))
                .max()
                .orElseThrow();
    }

    private static List<SimulatedNic> simulated(String name, NicConfig config) {
        NicCandidate candidate = NicCandidate.named(name);
        candidate.requireSupported(config);
        List<SimulatedNic> nics = Simulation.of(candidate.driver(), name, config);
        if (nics.isEmpty()) {
            throw new DoorbellException("the driver for '" + name + "' (" + candidate.driver()
                    + ") has no simulated NIC: open the NIC without a warm-up");
        }
        return nics;
    }
}
