package io.doorbell.tools.bench;

import io.doorbell.dma.DoorbellException;
import io.doorbell.tools.bench.VhostUserRunner.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;

/**
 * virtio over vhost-user at native speed: the same DPDK back-end on one core, and on the other core Doorbell and DPDK's
 * virtio-user in turns. The back-end counts, for both alike.
 */
final class VhostUserScenario implements Scenario {

    private static final int QUEUE_SIZE = 256;
    private static final String UNIT = "Mframes/s";
    private static final Pattern RX = Pattern.compile("Rx-pps:\\s+(\\d+)");
    private static final Pattern TX = Pattern.compile("Tx-pps:\\s+(\\d+)");
    private static final Duration SETTLE = Duration.ofMillis(100);
    private static final Duration WARM_UP = Duration.ofSeconds(3);
    /** Frames that go round, in bursts of 32: as many as a ring holds, but for a few. */
    private static final int CIRCULATING_BURSTS = QUEUE_SIZE / 32 - 1;
    /** For two processes of DPDK and one of Doorbell. */
    private static final long HUGE_PAGE_BYTES = 640L << 20;

    private final Work work;

    VhostUserScenario(Work work) {
        this.work = work;
    }

    @Override
    public String name() {
        return "vhost-user-" + work.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String description() {
        return "virtio over vhost-user, against DPDK's virtio-user, with DPDK's vhost on the other core";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        Path folder = temporaryFolder();
        try (HugePageLoan hugePages = new HugePageLoan(HUGE_PAGE_BYTES)) {
            Path socket = folder.resolve("vhost.sock");
            String port = "net_vhost0,iface=" + socket;
            try (Testpmd backEnd = Testpmd.start(cores.other(), port, work.otherEnd, hugePages.granted, List.of())) {
                for (boolean packed : new boolean[] {false, true}) {
                    new Round(bench, name(), cores, hugePages.granted, work, packed, socket, backEnd).run();
                }
            }
        } finally {
            delete(folder);
        }
    }

    /** All comparisons of one work and one kind of ring. */
    private record Round(
            Bench bench,
            String name,
            Cores cores,
            boolean hugePages,
            Work work,
            boolean packed,
            Path socket,
            Testpmd backEnd) {

        void run() {
            try (PinnedJvm doorbell = new PinnedJvm(cores.own(), VhostUserRunner.class, List.of())) {
                bench.steps().begin("warming up Doorbell");
                doorbell(doorbell, bench.quick() ? WARM_UP.dividedBy(3) : WARM_UP, new ArrayList<>());
                bench.steps().done("");
                for (VhostPeer peer : VhostPeer.values()) {
                    if (peer.packed == packed && peer.isPossible()) {
                        compare(doorbell, peer);
                    }
                }
            }
        }

        private void compare(PinnedJvm doorbell, VhostPeer peer) {
            Subject subject = new Subject(name, packed ? "packed" : "split", peer.title, UNIT, true, work.description);
            List<Report> reports = new ArrayList<>();
            Row row = bench.compare(subject, () -> doorbell(doorbell, bench.window(), reports), () -> dpdk(peer));
            double frames = sum(reports, Report::frames);
            bench.add(row.with("bytes/frame", sum(reports, Report::allocatedBytes) / frames)
                    .with("collections", sum(reports, Report::collections)));
        }

        private static double sum(List<Report> reports, ToLongFunction<Report> part) {
            return (double) reports.stream().mapToLong(part).sum();
        }

        private double doorbell(PinnedJvm jvm, Duration window, List<Report> reports) {
            String without = packed ? "" : " VIRTIO_F_RING_PACKED";
            jvm.ask("run " + work + " " + QUEUE_SIZE + " " + socket + without);
            double rate = measure(window);
            reports.add(Report.parse(jvm.ask("stop")));
            return rate;
        }

        private double dpdk(VhostPeer peer) {
            try (Testpmd _ = peer.start(cores.own(), socket, QUEUE_SIZE, work.engine, hugePages)) {
                return measure(bench.window());
            }
        }

        /** As the back-end counts, in millions a second. */
        private double measure(Duration window) {
            backEnd.command(work.circulates ? "start tx_first " + CIRCULATING_BURSTS : "start");
            sleep(SETTLE);
            backEnd.command("show port stats 0"); // the rate that this prints is that since the time before
            sleep(window);
            String statistics = backEnd.command("show port stats 0");
            backEnd.command("stop");
            double rate = Testpmd.number(work == Work.RECEIVE ? TX : RX, statistics) / 1e6;
            if (rate == 0) {
                throw new DoorbellException("the back-end has counted no frame: " + statistics.strip());
            }
            return rate;
        }
    }

    private static void sleep(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    private static Path temporaryFolder() {
        try {
            return Files.createTempDirectory("doorbell-bench");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
