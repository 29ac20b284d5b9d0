package io.doorbell.bench.scenario;

import io.doorbell.bench.env.CoreDistance;
import io.doorbell.bench.env.Cores;
import io.doorbell.bench.env.HugePageReservation;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.VhostUserRunner;
import io.doorbell.bench.load.VhostUserRunner.Report;
import io.doorbell.bench.peer.BackEnd;
import io.doorbell.bench.peer.DpdkBackEnd;
import io.doorbell.bench.peer.NullBackEnd;
import io.doorbell.bench.peer.Testpmd;
import io.doorbell.bench.peer.VhostPeer;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.bench.workload.Shape;
import io.doorbell.bench.workload.Workload;
import io.doorbell.qemu.ScratchFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * virtio over vhost-user at native speed: the same DPDK back-end on one core, and on the other core Doorbell and DPDK's
 * virtio-user in turns. The back-end counts, for both alike.
 */
final class VhostUserScenario implements Scenario {

    static final String UNIT = "Mframes/s";
    private static final Duration WARM_UP = Duration.ofSeconds(2);
    /** For two processes of DPDK and one of Doorbell. */
    private static final long HUGE_PAGE_BYTES = 640L << 20;

    private final Workload workload;
    /** Whether the other end is one that does nothing. */
    private final boolean idle;

    private VhostUserScenario(Workload workload, boolean idle) {
        this.workload = workload;
        this.idle = idle;
    }

    /** With DPDK's vhost at the other end, which copies every frame, and mostly is the limit. */
    static Scenario withDpdk(Workload workload) {
        return new VhostUserScenario(workload, false);
    }

    /** With an end that fills and drains at once, so that the driver is the limit. */
    static Scenario withNull(Workload workload) {
        return new VhostUserScenario(workload, true);
    }

    @Override
    public String name() {
        return (idle ? "null-" : "vhost-user-") + workload.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String description() {
        return "virtio over vhost-user, against DPDK's virtio-user, with "
                + (idle ? "a back-end that fills and drains at once" : "DPDK's vhost") + " on the other core";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        try (ScratchFolder folder = ScratchFolder.create("doorbell-bench");
                HugePageReservation hugePages = new HugePageReservation(HUGE_PAGE_BYTES);
                CoreDistance distance = new CoreDistance(cores, folder)) {
            Path socket = folder.file("vhost.sock");
            for (boolean packed : bench.quick() && idle ? new boolean[] {true} : new boolean[] {false, true}) {
                try (BackEnd backEnd = idle
                        ? new NullBackEnd(cores.other(), socket)
                        : new DpdkBackEnd(cores.other(), socket, workload, hugePages.granted, Shape.USUAL)) {
                    new Round(bench, name(), cores, hugePages.granted, workload, packed, socket, backEnd, distance)
                            .run();
                }
            }
        }
    }

    /** All comparisons of one workload and one kind of ring. */
    private record Round(
            Bench bench,
            String name,
            Cores cores,
            boolean hugePages,
            Workload workload,
            boolean packed,
            Path socket,
            BackEnd backEnd,
            CoreDistance distance) {

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
            Subject subject =
                    new Subject(name, packed ? "packed" : "split", peer.title, UNIT, true, workload.description);
            List<Report> reports = new ArrayList<>();
            Row row = bench.compare(
                    subject, distance, () -> doorbell(doorbell, bench.window(), reports), () -> dpdk(peer));
            row = Report.addTo(row, reports);
            bench.add(backEnd instanceof NullBackEnd other ? row.with("idle polls", other.idleShare()) : row);
        }

        private double doorbell(PinnedJvm jvm, Duration window, List<Report> reports) {
            String without = packed ? "" : " VIRTIO_F_RING_PACKED";
            jvm.ask("run " + workload + " " + BackEnd.QUEUE_SIZE + " " + Shape.USUAL + " " + socket + without);
            double rate = backEnd.measure(workload, window);
            reports.add(Report.parse(jvm.ask("stop")));
            return rate;
        }

        private double dpdk(VhostPeer peer) {
            try (Testpmd _ = peer.start(cores.own(), socket, BackEnd.QUEUE_SIZE, workload.engine, hugePages)) {
                return backEnd.measure(workload, bench.window());
            }
        }
    }
}
