package io.doorbell.bench.scenario;

import io.doorbell.bench.env.Cores;
import io.doorbell.bench.env.HugePageReservation;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.LatencyGenerator;
import io.doorbell.bench.load.RoundTrips;
import io.doorbell.bench.load.VhostUserRunner;
import io.doorbell.bench.peer.Testpmd;
import io.doorbell.bench.peer.VhostPeer;
import io.doorbell.bench.result.Plot;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.bench.workload.Shape;
import io.doorbell.bench.workload.Workload;
import io.doorbell.qemu.ScratchFolder;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.HdrHistogram.HistogramIterationValue;

/**
 * How long a frame takes there and back: {@link LatencyGenerator} on one core, and on the other core Doorbell, with each
 * garbage collector, and DPDK's virtio-user in turns, who send frames back with their MAC addresses swapped.
 */
final class LatencyScenario implements Scenario {

    private static final int[] RATES = {10_000, 100_000};
    private static final int QUEUE_SIZE = 256;
    private static final VhostPeer PEER = VhostPeer.PACKED;
    private static final long HUGE_PAGE_BYTES = 320L << 20;
    private static final int WARM_UP_RATE = 200_000;
    private static final int WARM_UP_MILLIS = 3000;
    private static final String DPDK = "DPDK";
    private static final String HEAP = "-Xmx512m";
    private static final int QUICK_MILLIS = 200;
    private static final double DECISIVE = 99.99;
    private static final double[] PERCENTILES = {50, 99, 99.9, DECISIVE};

    /** Garbage collectors, and the option that chooses each. */
    private enum Collector {
        G1("-XX:+UseG1GC"),
        ZGC("-XX:+UseZGC"),
        PARALLEL("-XX:+UseParallelGC");

        final String option;

        Collector(String option) {
            this.option = option;
        }
    }

    /** Who sends frames back. */
    private interface Reflector {
        RoundTrips measure(int rate, int milliseconds);
    }

    /** What one of them has shown so far. */
    private record Side(String title, Reflector reflector, List<RoundTrips> windows) {

        RoundTrips sum() {
            RoundTrips sum = new RoundTrips();
            windows.forEach(sum::add);
            return sum;
        }
    }

    @Override
    public String name() {
        return "latency";
    }

    @Override
    public String description() {
        return "round trips over vhost-user, with each garbage collector, against DPDK's virtio-user";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        List<PinnedJvm> jvms = new ArrayList<>();
        try (ScratchFolder folder = ScratchFolder.create("doorbell-bench");
                HugePageReservation hugePages = new HugePageReservation(HUGE_PAGE_BYTES);
                PinnedJvm generator =
                        new PinnedJvm(cores.other(), LatencyGenerator.class, List.of("-XX:+UseSerialGC", "-Xmx256m"))) {
            Path socket = folder.file("vhost.sock");
            generator.ask("open " + socket);
            SequencedMap<String, Reflector> reflectors = new LinkedHashMap<>();
            reflectors.put(DPDK, (rate, time) -> dpdk(generator, cores.own(), socket, hugePages.granted, rate, time));
            for (Collector collector : Collector.values()) {
                PinnedJvm jvm = new PinnedJvm(cores.own(), VhostUserRunner.class, List.of(collector.option, HEAP));
                jvms.add(jvm);
                Reflector reflector = (rate, time) -> doorbell(generator, jvm, socket, rate, time);
                bench.steps().begin("warming up, " + collector);
                reflector.measure(WARM_UP_RATE, bench.quick() ? QUICK_MILLIS : WARM_UP_MILLIS);
                bench.steps().done("");
                reflectors.put(collector.name(), reflector);
            }
            for (int rate : bench.quick() ? new int[] {RATES[0]} : RATES) {
                compare(bench, rate, reflectors);
            }
        } finally {
            jvms.forEach(PinnedJvm::close);
        }
    }

    private static RoundTrips doorbell(PinnedJvm generator, PinnedJvm jvm, Path socket, int rate, int milliseconds) {
        jvm.ask("run " + Workload.FORWARD + " " + QUEUE_SIZE + " " + Shape.USUAL + " " + socket);
        RoundTrips trips = trips(generator, rate, milliseconds);
        jvm.ask("stop");
        return trips;
    }

    private static RoundTrips dpdk(
            PinnedJvm generator, int core, Path socket, boolean hugePages, int rate, int milliseconds) {
        try (Testpmd _ = PEER.start(core, socket, QUEUE_SIZE, Workload.FORWARD.engine, hugePages)) {
            return trips(generator, rate, milliseconds);
        }
    }

    private static RoundTrips trips(PinnedJvm generator, int rate, int milliseconds) {
        return RoundTrips.parse(generator.ask("measure " + rate + " " + milliseconds));
    }

    /** All take turns; who is first changes from round to round. */
    private void compare(Bench bench, int rate, SequencedMap<String, Reflector> reflectors) {
        int time = bench.quick() ? QUICK_MILLIS : (int) (bench.latencyTime().toMillis() / bench.pairs());
        List<Side> sides = new ArrayList<>();
        reflectors.forEach((title, reflector) -> sides.add(new Side(title, reflector, new ArrayList<>())));
        List<Side> order = new ArrayList<>(sides);
        for (int round = 1; round <= bench.pairs(); round++) {
            bench.steps().begin(name() + " at " + title(rate) + " frames/s, round " + round);
            for (Side side : order) {
                side.windows.add(side.reflector.measure(rate, time));
            }
            bench.steps().done("");
            order.addLast(order.removeFirst());
        }
        Side peer = sides.getFirst();
        for (Side doorbell : sides.subList(1, sides.size())) {
            bench.add(row(rate, doorbell, peer));
        }
        attach(bench, rate, sides);
    }

    private Row row(int rate, Side own, Side peer) {
        Subject subject = new Subject(
                name() + "-" + title(rate) + "-" + own.title.toLowerCase(Locale.ROOT),
                "packed",
                PEER.title,
                "µs",
                false,
                "99.99th percentile of the round trip of 64-byte frames whose MAC addresses are swapped (testpmd:"
                        + " macswap), from the time at which a frame is due");
        List<Row.Pair> pairs = new ArrayList<>();
        for (int i = 0; i < own.windows.size(); i++) {
            pairs.add(new Row.Pair(
                    own.windows.get(i).percentile(DECISIVE), peer.windows.get(i).percentile(DECISIVE)));
        }
        Row row = Row.of(subject, pairs);
        row = withPercentiles(row, "", own.sum());
        return withPercentiles(row, "peer's ", peer.sum());
    }

    /** Of all windows together. */
    private static Row withPercentiles(Row row, String whose, RoundTrips trips) {
        Row more = row;
        for (double percent : PERCENTILES) {
            more = more.with(whose + "p" + Plot.number(percent), trips.percentile(percent));
        }
        return more.with(whose + "max", trips.longest()).with(whose + "lost", (double) trips.underway());
    }

    private void attach(Bench bench, int rate, List<Side> sides) {
        SequencedMap<String, List<Plot.Point>> curves = new LinkedHashMap<>();
        for (Side side : sides) {
            RoundTrips trips = side.sum();
            curves.put(side.title.equals(DPDK) ? side.title : "Doorbell, " + side.title, curve(trips));
            bench.attach(
                    name() + "-" + title(rate) + "-" + side.title.toLowerCase(Locale.ROOT) + ".hgrm",
                    distribution(trips));
        }
        bench.attach(
                name() + "-" + title(rate) + ".svg",
                Plot.of(
                        "Round trip at " + title(rate) + " frames/s, packed ring",
                        percentiles(),
                        Plot.Axis.decades("µs", 1, 100_000),
                        curves));
    }

    /** A tenth as many frames take longer at each tick as at the tick before. */
    private static Plot.Axis percentiles() {
        SequencedMap<Double, String> ticks = new TreeMap<>();
        String label = "99";
        ticks.put(1.0, "0 %");
        ticks.put(10.0, "90 %");
        for (double one = 100; one <= 1e6; one *= 10) {
            ticks.put(one, label + " %");
            label += label.contains(".") ? "9" : ".9";
        }
        return new Plot.Axis("frames that took no longer", ticks, true);
    }

    private static List<Plot.Point> curve(RoundTrips trips) {
        List<Plot.Point> points = new ArrayList<>();
        for (HistogramIterationValue value : trips.histogram().percentiles(5)) {
            double above = 1 - value.getPercentileLevelIteratedTo() / 100;
            if (above > 0) {
                points.add(new Plot.Point(1 / above, value.getValueIteratedTo() / 1e3));
            }
        }
        return points;
    }

    /** In HdrHistogram's text format, in microseconds. */
    private static String distribution(RoundTrips trips) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        trips.histogram().outputPercentileDistribution(new PrintStream(text, false, StandardCharsets.UTF_8), 1000.0);
        return text.toString(StandardCharsets.UTF_8);
    }

    private static String title(int rate) {
        return rate / 1000 + "k";
    }
}
