package io.doorbell.bench.scenario;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Cores;
import io.doorbell.bench.env.HugePageReservation;
import io.doorbell.bench.env.JarClassPath;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.LatencyGenerator;
import io.doorbell.bench.load.RoundTrips;
import io.doorbell.bench.load.StartRunner;
import io.doorbell.bench.peer.Testpmd;
import io.doorbell.bench.peer.VhostPeer;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.bench.workload.Workload;
import io.doorbell.qemu.ScratchFolder;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * How soon a process sends its first frame, and how many frames pass in the first second of a JVM's life as a network
 * function; with and without a cache of classes and profiles (JEP 514, 515), which an earlier run has written.
 */
final class StartScenario implements Scenario {

    private static final int QUEUE_SIZE = 256;
    private static final VhostPeer PEER = VhostPeer.PACKED;
    private static final long HUGE_PAGE_BYTES = 320L << 20;
    private static final int RATE = 500_000;
    private static final int SECOND_MILLIS = 1000;
    /** Pairs of first seconds, each of which takes a JVM of its own on both sides. */
    private static final int MOST_SECONDS = 2;

    private static final String RING = "packed";

    @Override
    public String name() {
        return "start";
    }

    @Override
    public String description() {
        return "time to the first frame against DPDK's, and frames lost in a JVM's first second";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        try (ScratchFolder folder = ScratchFolder.create("doorbell-bench");
                HugePageReservation hugePages = new HugePageReservation(HUGE_PAGE_BYTES);
                PinnedJvm generator =
                        new PinnedJvm(cores.other(), LatencyGenerator.class, List.of("-XX:+UseSerialGC", "-Xmx256m"))) {
            String classPath = JarClassPath.of(System.getProperty("java.class.path"), folder);
            new Run(bench, cores, folder, classPath, hugePages.granted, generator).compareAll();
        }
    }

    /** All comparisons, and what they share. */
    private record Run(
            Bench bench, Cores cores, ScratchFolder folder, String classPath, boolean hugePages, PinnedJvm generator) {

        void compareAll() {
            generator.ask("open " + folder.file("vhost.sock"));
            compareStart("start-cold", List.of());
            compareStart("start-aot", cached(() -> train(Workload.SEND)));
            compareWarm("start-first-second-warm", "after a warm-up (WarmUp.run)", List.of());
            if (bench.quick()) {
                return; // the others differ in what their cache was trained with
            }
            List<String> forwarding = cached(() -> train(Workload.FORWARD));
            compareFirstSecond("start-first-second", "with a cache (-XX:AOTCache)", () -> firstSecond(forwarding));
            compareWarm("start-first-second-warm-aot", "after a warm-up, with a cache", cached(this::trainByWarmUp));
        }

        private List<String> cached(Supplier<Path> training) {
            return List.of("-XX:AOTCache=" + bench.steps().step("training a cache for the start", training));
        }

        /** Writes a cache while doing what is to be done. */
        private Path train(Workload workload) {
            return cache(workload.toString(), workload == Workload.SEND ? this::firstFrame : this::firstSecond);
        }

        private Path trainByWarmUp() {
            return cache("warm-up", options -> warmSecond(options, new ArrayList<>()));
        }

        private Path cache(String name, Consumer<List<String>> training) {
            Path cache = folder.file(name + ".aot");
            List<String> options = List.of("-XX:AOTCacheOutput=" + cache);
            training.accept(options);
            if (!Files.exists(cache)) {
                throw new DoorbellException("a JVM that was started with " + options + " has not written its cache");
            }
            return cache;
        }

        private void compareStart(String scenario, List<String> options) {
            Subject subject = new Subject(
                    scenario,
                    RING,
                    PEER.title,
                    "ms",
                    false,
                    "from the start of the process to its first frame at the other end of vhost-user (testpmd: txonly)");
            bench.add(bench.compare(subject, () -> firstFrame(options), this::firstFrameOfDpdk));
        }

        private void compareFirstSecond(String scenario, String how, Supplier<RoundTrips> second) {
            bench.add(firstSeconds(scenario, how, second));
        }

        private void compareWarm(String scenario, String how, List<String> options) {
            List<Long> times = new ArrayList<>();
            Row row = firstSeconds(scenario, how, () -> warmSecond(options, times));
            bench.add(row.with(
                    "warm-up ms",
                    times.stream().mapToLong(Long::longValue).average().orElse(0)));
        }

        private Row firstSeconds(String scenario, String how, Supplier<RoundTrips> second) {
            Subject subject = new Subject(
                    scenario,
                    RING,
                    "Doorbell, cold",
                    "frames",
                    true,
                    "64-byte frames that come back, MAC addresses swapped, in the first second after the link is up; "
                            + RATE + " are offered, and none twice. Doorbell " + how);
            List<RoundTrips> own = new ArrayList<>();
            List<RoundTrips> cold = new ArrayList<>();
            Row row = bench.compare(
                    subject, MOST_SECONDS, () -> passed(second.get(), own), () -> passed(firstSecond(List.of()), cold));
            return row.with("lost", lost(own)).with("peer's lost", lost(cold));
        }

        private static double passed(RoundTrips trips, List<RoundTrips> all) {
            all.add(trips);
            return (double) trips.count();
        }

        /** On average. */
        private static double lost(List<RoundTrips> all) {
            return all.stream().mapToLong(RoundTrips::underway).average().orElse(0);
        }

        private double firstFrame(List<String> options) {
            generator.say("first");
            long start = System.nanoTime();
            // The JVM that writes a cache tells its options on standard error.
            try (PinnedJvm doorbell =
                    new PinnedJvm(cores.own(), StartRunner.class, options, classPath, Redirect.DISCARD)) {
                doorbell.say("run " + where(Workload.SEND));
                return millisecondsSince(start);
            }
        }

        private double firstFrameOfDpdk() {
            generator.say("first");
            long start = System.nanoTime();
            try (Testpmd _ = PEER.start(cores.own(), socket(), QUEUE_SIZE, Workload.SEND.engine, hugePages)) {
                return millisecondsSince(start);
            }
        }

        /** All processes of a machine have the same {@link System#nanoTime}: Linux's monotonic clock. */
        private double millisecondsSince(long start) {
            return (Long.parseLong(generator.answer()) - start) / 1e6;
        }

        private RoundTrips firstSecond(List<String> options) {
            generator.say("offer " + RATE + " " + SECOND_MILLIS);
            try (PinnedJvm doorbell =
                    new PinnedJvm(cores.own(), StartRunner.class, options, classPath, Redirect.DISCARD)) {
                doorbell.say("run " + where(Workload.FORWARD));
                return RoundTrips.parse(generator.answer());
            }
        }

        /** As {@link #firstSecond}, of a process that warms up first: in so many milliseconds. */
        private RoundTrips warmSecond(List<String> options, List<Long> times) {
            generator.say("offer " + RATE + " " + SECOND_MILLIS);
            try (PinnedJvm doorbell =
                    new PinnedJvm(cores.own(), StartRunner.class, options, classPath, Redirect.DISCARD)) {
                doorbell.say("warm " + where(Workload.FORWARD));
                times.add(Long.parseLong(doorbell.answer()));
                return RoundTrips.parse(generator.answer());
            }
        }

        private String where(Workload workload) {
            return workload + " " + QUEUE_SIZE + " " + socket();
        }

        private Path socket() {
            return folder.file("vhost.sock");
        }
    }
}
