package io.doorbell.bench.scenario;

import io.doorbell.bench.env.Cores;
import io.doorbell.bench.env.HugePageReservation;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.VhostUserRunner;
import io.doorbell.bench.load.VhostUserRunner.Report;
import io.doorbell.bench.peer.BackEnd;
import io.doorbell.bench.peer.DpdkBackEnd;
import io.doorbell.bench.peer.Testpmd;
import io.doorbell.bench.peer.VhostPeer;
import io.doorbell.bench.result.Plot;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.bench.workload.Parameter;
import io.doorbell.bench.workload.Shape;
import io.doorbell.bench.workload.Workload;
import io.doorbell.qemu.ScratchFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * Forwarding over vhost-user with more and more of something: Doorbell and DPDK's virtio-user take turns at each point.
 * All points are measured in each round, so that a machine that is slow for a while makes no dent in a curve.
 */
final class ScaleScenario implements Scenario {

    private static final Workload WORKLOAD = Workload.FORWARD;
    private static final int MOST_ROUNDS = 2;
    private static final Duration WINDOW = Duration.ofMillis(300);
    private static final Duration WARM_UP = Duration.ofSeconds(1);
    /** For two back-ends and a peer of DPDK, 256 MiB each, and Doorbell's largest pool. */
    private static final long HUGE_PAGE_BYTES = 1152L << 20;

    private final Parameter parameter;

    ScaleScenario(Parameter parameter) {
        this.parameter = parameter;
    }

    @Override
    public String name() {
        return "scale-" + parameter.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String description() {
        return "forwarding over vhost-user, against DPDK's virtio-user, with more and more " + parameter.label;
    }

    @Override
    public void run(Bench bench) {
        // Of DPDK's ways through a packed ring the fastest; several queues and long frames are no hindrance to it.
        VhostPeer peer = VhostPeer.PACKED_AVX512.isPossible() ? VhostPeer.PACKED_AVX512 : VhostPeer.PACKED;
        List<Integer> values = bench.quick()
                ? List.of(parameter.points().getFirst(), parameter.points().getLast())
                : parameter.points();
        List<Row> rows;
        try (Ends ends = new Ends(bench, parameter, peer)) {
            bench.steps().begin(name() + ", warming up Doorbell at each point");
            List<Point> points = values.stream().map(ends::warmUp).toList();
            bench.steps().done("");
            int rounds = Math.min(bench.pairs(), MOST_ROUNDS);
            for (int round = 1; round <= rounds; round++) {
                bench.steps().begin(name() + ", against " + peer.title + ", round " + round + " of " + rounds);
                for (Point point : points) {
                    ends.compare(point, round % 2 == 1);
                }
                bench.steps().done("");
            }
            rows = points.stream().map(point -> row(point, peer)).toList();
        }
        rows.forEach(bench::add);
        bench.attach(name() + ".svg", plot(values, rows, peer));
    }

    /** A value of the parameter, a JVM that has never seen another, and what was measured. */
    private record Point(int value, Shape shape, PinnedJvm doorbell, List<Row.Pair> pairs, List<Report> reports) {}

    /** Who exchanges frames: DPDK's vhost on the one core, and on the other who takes turns. */
    private static final class Ends implements AutoCloseable {

        private final Bench bench;
        private final Parameter parameter;
        private final VhostPeer peer;
        private final Cores cores = Cores.choose();
        private final ScratchFolder folder = ScratchFolder.create("doorbell-bench");
        private final HugePageReservation hugePages = new HugePageReservation(HUGE_PAGE_BYTES);
        private final List<PinnedJvm> jvms = new ArrayList<>();
        /** By the number of queues. */
        private final Map<Integer, DpdkBackEnd> backEnds = new HashMap<>();

        Ends(Bench bench, Parameter parameter, VhostPeer peer) {
            this.bench = bench;
            this.parameter = parameter;
            this.peer = peer;
        }

        Point warmUp(int value) {
            PinnedJvm jvm = new PinnedJvm(cores.own(), VhostUserRunner.class, List.of());
            jvms.add(jvm);
            Point point = new Point(value, parameter.shape(value), jvm, new ArrayList<>(), new ArrayList<>());
            doorbell(point, bench.quick() ? WARM_UP.dividedBy(3) : WARM_UP);
            point.reports.clear();
            return point;
        }

        /** Lets the two take turns, once. */
        void compare(Point point, boolean doorbellFirst) {
            Duration window = bench.quick() ? bench.window() : WINDOW;
            if (doorbellFirst) {
                double own = doorbell(point, window);
                point.pairs.add(new Row.Pair(own, dpdk(point, window)));
            } else {
                double other = dpdk(point, window);
                point.pairs.add(new Row.Pair(doorbell(point, window), other));
            }
        }

        private double doorbell(Point point, Duration window) {
            BackEnd backEnd = backEnd(point.shape);
            Path socket = socket(point.shape);
            point.doorbell.ask("run " + WORKLOAD + " " + BackEnd.QUEUE_SIZE + " " + point.shape + " " + socket);
            double rate = backEnd.measure(WORKLOAD, window);
            point.reports.add(Report.parse(point.doorbell.ask("stop")));
            return rate;
        }

        private double dpdk(Point point, Duration window) {
            BackEnd backEnd = backEnd(point.shape);
            Path socket = socket(point.shape);
            try (Testpmd _ = peer.start(
                    cores.own(), socket, BackEnd.QUEUE_SIZE, WORKLOAD.engine, hugePages.granted, point.shape)) {
                return backEnd.measure(WORKLOAD, window);
            }
        }

        /** With as many queues, and about to send frames of that length. */
        private BackEnd backEnd(Shape shape) {
            DpdkBackEnd backEnd = backEnds.computeIfAbsent(shape.queues(), queues -> {
                int longest = parameter.shape(parameter.points().getLast()).length();
                Shape own = Shape.USUAL.withQueues(queues).withLength(longest);
                return new DpdkBackEnd(cores.other(), socket(shape), WORKLOAD, hugePages.granted, own);
            });
            backEnd.length(shape.length());
            return backEnd;
        }

        private Path socket(Shape shape) {
            return folder.file("vhost" + shape.queues() + ".sock");
        }

        @Override
        public void close() {
            jvms.forEach(PinnedJvm::close);
            backEnds.values().forEach(DpdkBackEnd::close);
            hugePages.close();
            folder.close();
        }
    }

    private Row row(Point point, VhostPeer peer) {
        Subject subject = new Subject(
                name(),
                "packed, " + parameter.describe(point.value),
                peer.title,
                VhostUserScenario.UNIT,
                true,
                parameter.workload + "; each frame's MAC addresses change places (testpmd: macswap)");
        return Report.addTo(Row.of(subject, point.pairs), point.reports);
    }

    private String plot(List<Integer> values, List<Row> rows, VhostPeer peer) {
        SequencedMap<Double, String> ticks = new TreeMap<>();
        values.forEach(value -> ticks.put((double) value, parameter.tick(value)));
        SequencedMap<String, List<Plot.Point>> curves = new LinkedHashMap<>();
        curves.put("Doorbell", curve(values, rows, Row::own));
        curves.put(peer.title, curve(values, rows, Row::other));
        double most = curves.values().stream()
                .flatMap(List::stream)
                .mapToDouble(Plot.Point::y)
                .max()
                .orElseThrow();
        return Plot.of(
                "Forwarding over vhost-user, packed ring, one core",
                new Plot.Axis(parameter.label, ticks, true),
                Plot.Axis.linear(isAboutBits() ? "Gbit/s" : VhostUserScenario.UNIT, most),
                curves);
    }

    private List<Plot.Point> curve(List<Integer> values, List<Row> rows, ToDoubleFunction<Row> side) {
        List<Plot.Point> points = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            double millions = side.applyAsDouble(rows.get(i));
            int value = values.get(i);
            points.add(new Plot.Point(value, isAboutBits() ? millions * value * Byte.SIZE / 1e3 : millions));
        }
        return points;
    }

    /** Where frames grow, their number says little. */
    private boolean isAboutBits() {
        return parameter == Parameter.SIZE;
    }
}
