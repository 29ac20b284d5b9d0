package io.doorbell.bench.scenario;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.CoreDistance;
import io.doorbell.bench.env.Cores;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.env.VethPair;
import io.doorbell.bench.load.DatagramEnd;
import io.doorbell.bench.load.NicEnd;
import io.doorbell.bench.load.PacketSocketEnd;
import io.doorbell.bench.load.PcapEnd;
import io.doorbell.bench.load.SocketEnd;
import io.doorbell.bench.load.SocketPath;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.qemu.ScratchFolder;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a Java programmer would use otherwise, to get small packets from one JVM to another: a {@code DatagramChannel} over
 * loopback; or, for whole frames, pcap4j or a raw socket over a veth pair. Both JVMs have a core each; what arrives is
 * counted.
 */
final class SocketsScenario implements Scenario {

    private static final Duration WARM_UP = Duration.ofSeconds(2);
    /** Pairs that tell a multiple such as these well enough. */
    private static final int MOST_PAIRS = 3;

    /** Whom Doorbell is compared with, and how that one does it. */
    private enum Peer {
        DATAGRAM_CHANNEL(
                "DatagramChannel", "datagrams as long over loopback, a write for each, and a receive that polls"),
        PCAP4J(
                "pcap4j, veth",
                "the same frames over a pair of veth, a sendPacket for each, and a loop with a listener"),
        PACKET_SOCKET(
                "AF_PACKET, veth",
                "the same frames over a pair of veth, by sendmmsg and recvmmsg of 32 frames a call, which"
                        + " java.lang.foreign calls");

        final String title;
        final String way;

        Peer(String title, String way) {
            this.title = title;
            this.way = way;
        }

        Subject subject(String scenario) {
            return new Subject(
                    scenario,
                    "packed",
                    title,
                    "Mframes/s",
                    true,
                    "64-byte frames from one JVM to another, those that arrive are counted. Doorbell: through shared"
                            + " memory (vhost-user), in batches of 32. " + title + ": " + way);
        }
    }

    @Override
    public String name() {
        return "sockets";
    }

    @Override
    public String description() {
        return "from one JVM to another, vhost-user against the JDK's DatagramChannel, pcap4j and a raw socket";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        try (ScratchFolder folder = ScratchFolder.create("doorbell-bench");
                CoreDistance distance = new CoreDistance(cores, folder);
                SocketPath doorbell =
                        path(cores, NicEnd.class, folder.file("sockets.sock").toString());
                VethPair veth = veth(bench)) {
            warmUp(bench, doorbell, "Doorbell");
            compare(bench, distance, doorbell, Peer.DATAGRAM_CHANNEL, path(cores, DatagramEnd.class, "loopback"));
            if (veth != null) {
                compare(bench, distance, doorbell, Peer.PCAP4J, path(cores, PcapEnd.class, veth.name()));
                compare(bench, distance, doorbell, Peer.PACKET_SOCKET, path(cores, PacketSocketEnd.class, veth.name()));
            }
        }
    }

    private static SocketPath path(Cores cores, Class<? extends SocketEnd> end, String where) {
        return new SocketPath(
                new PinnedJvm(cores.own(), end, List.of()), new PinnedJvm(cores.other(), end, List.of()), where);
    }

    /** None where this process may not make one; then a step says why. */
    private static @Nullable VethPair veth(Bench bench) {
        bench.steps().begin("making a pair of veth interfaces");
        try {
            VethPair veth = new VethPair();
            bench.steps().done("");
            return veth;
        } catch (DoorbellException e) {
            bench.steps().done("going on without pcap4j and AF_PACKET, since " + e.getMessage());
            return null;
        }
    }

    private static void warmUp(Bench bench, SocketPath path, String whose) {
        bench.steps().step("warming up " + whose, () -> {
            path.measure(bench.quick() ? WARM_UP.dividedBy(6) : WARM_UP);
            path.bytes();
        });
    }

    private void compare(Bench bench, CoreDistance distance, SocketPath doorbell, Peer peer, SocketPath path) {
        try (path) {
            warmUp(bench, path, peer.title);
            Row row = bench.compare(
                    peer.subject(name()),
                    MOST_PAIRS,
                    distance,
                    () -> doorbell.measure(bench.window()),
                    () -> path.measure(bench.window()));
            bench.add(row.with("bytes/frame", doorbell.bytes()).with("peer's bytes/frame", path.bytes()));
        }
    }
}
