package io.doorbell.tools.demo;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.qemu.link.NumberedExchange.Counts;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What came of a demo. */
public record DemoResult(List<NicResult> nics) {

    public DemoResult {
        nics = List.copyOf(nics);
    }

    /**
     * What became of the numbered frames of one direction.
     *
     * @param lost never arrived
     * @param corrupt arrived damaged
     * @param duplicates arrived more than once
     * @param reordered arrived after a later one
     */
    record Direction(long sent, long received, long lost, long corrupt, long duplicates, long reordered) {

        /** The sender knows what was sent, the receiver the rest. */
        static Direction of(Counts sender, Counts receiver) {
            return new Direction(
                    sender.sent(),
                    receiver.received(),
                    receiver.lost(),
                    receiver.corrupt(),
                    receiver.duplicates(),
                    receiver.reordered());
        }

        Direction plus(Direction other) {
            return new Direction(
                    sent + other.sent,
                    received + other.received,
                    lost + other.lost,
                    corrupt + other.corrupt,
                    duplicates + other.duplicates,
                    reordered + other.reordered);
        }

        boolean isPerfect(long frames) {
            return sent == frames && received == frames && lost == 0 && corrupt == 0 && duplicates == 0;
        }

        public Object toJson(double seconds) {
            return Json.object(
                    "framesSent", sent,
                    "framesReceived", received,
                    "lost", lost,
                    "corrupt", corrupt,
                    "duplicates", duplicates,
                    "reordered", reordered,
                    "framesPerSecond", Math.round(received / seconds));
        }
    }

    /**
     * What one NIC did.
     *
     * @param frames numbered frames that each direction was to carry
     * @param toNic from the peer to the NIC
     * @param fromNic from the NIC to the peer
     * @param pcap recorded by QEMU, if it was there
     */
    public record NicResult(
            int frames,
            Direction toNic,
            Direction fromNic,
            NicReport report,
            @Nullable Path pcap) {

        /** From what the two ends of the exchange have to tell. */
        static NicResult of(int frames, NicReport report, Counts atPeer, @Nullable Path pcap) {
            Counts atNic = report.counts();
            return new NicResult(frames, Direction.of(atPeer, atNic), Direction.of(atNic, atPeer), report, pcap);
        }

        /** Of Doorbell's drivers, the one that drove the NIC. */
        public String driver() {
            return report.driver();
        }

        Direction both() {
            return toNic.plus(fromNic);
        }

        long framesPerSecond() {
            return Math.round(both().received() / report.seconds());
        }

        public boolean pass() {
            return faults().isEmpty();
        }

        List<String> faults() {
            String name = report.driver();
            List<String> faults = new ArrayList<>();
            if (!report.pings().allAnswered()) {
                faults.add(name + " answered " + report.pings() + " pings");
            }
            if (!report.tcp().isPerfect()) {
                faults.add(String.format(
                        "%s sent %,d bytes to the kernel by TCP, of which %,d arrived, with %,d checksum errors",
                        name,
                        report.tcp().sent(),
                        report.tcp().received(),
                        report.tcp().checksumErrors()));
            }
            if (!report.idle().slept()) {
                faults.add(name + " took " + report.idle() + " of a CPU with nothing to do");
            }
            explain(faults, "from the peer to " + name, toNic);
            explain(faults, "from " + name + " to the peer", fromNic);
            if (!report.quiesced()) {
                faults.add(name + " could still reach memory when it had been closed");
            }
            if (!report.released()) {
                faults.add("the process still held memory or files of " + name + " when it had been closed");
            }
            return faults;
        }

        private void explain(List<String> faults, String way, Direction direction) {
            if (!direction.isPerfect(frames)) {
                faults.add(String.format(
                        "%s: %,d of %,d frames were sent, %,d arrived, %,d were lost, %,d corrupt, %,d duplicates",
                        way,
                        direction.sent(),
                        frames,
                        direction.received(),
                        direction.lost(),
                        direction.corrupt(),
                        direction.duplicates()));
            }
        }

        public Object toJson() {
            return Json.object(
                    "driver", report.driver(),
                    "model", report.model(),
                    "address", report.address(),
                    "mac", report.mac(),
                    "link", report.link(),
                    "pass", pass(),
                    "ping",
                            Json.object(
                                    "sent", report.pings().sent(),
                                    "answered", report.pings().answered()),
                    "tcp", report.tcp().toJson(),
                    "idle", report.idle().toJson(),
                    "exchangeSeconds", report.seconds(),
                    "peerToNic", toNic.toJson(report.seconds()),
                    "nicToPeer", fromNic.toJson(report.seconds()),
                    "framesPerSecond", framesPerSecond(),
                    "bytesAllocatedPerFrame", report.allocatedPerFrame(),
                    "heapCollections", report.collections(),
                    "quiesced", report.quiesced(),
                    "released", report.released(),
                    "pcap", pcap == null ? null : pcap.toString());
        }
    }

    public boolean pass() {
        return nics.stream().allMatch(NicResult::pass);
    }

    /** A column for each NIC. Rate, memory and collections are of the loop that serves both directions. */
    public Table table() {
        Table table = new Table(Stream.concat(
                        Stream.of(text("")),
                        nics.stream().map(nic -> number(nic.report().driver())))
                .toArray(Table.Column[]::new));
        row(table, "model", nic -> nic.report().model());
        row(table, "pings answered", nic -> nic.report().pings());
        row(table, "queues, a thread each", nic -> tcp(nic, nic.report().tcp().queues()));
        row(table, "sent to the kernel by TCP", nic -> nic.report().tcp().volume());
        row(table, "frames, into segments", nic -> nic.report().tcp().cut());
        row(table, "segments and checksums by", nic -> nic.report().tcp().cutter());
        row(table, "checksum errors there", nic -> tcp(nic, nic.report().tcp().checksumErrors()));
        row(
                table,
                "checksums verified by NIC",
                nic -> tcp(nic, nic.report().tcp().verified()));
        row(table, "CPU time asleep", nic -> nic.report().idle());
        row(table, "frames from peer to NIC", nic -> nic.toNic().received());
        row(table, "frames from NIC to peer", nic -> nic.fromNic().received());
        row(table, "lost", nic -> nic.both().lost());
        row(table, "corrupt", nic -> nic.both().corrupt());
        row(table, "duplicates", nic -> nic.both().duplicates());
        row(table, "frames a second", NicResult::framesPerSecond);
        row(table, "bytes allocated a frame", nic -> nic.report().allocatedPerFrame());
        row(table, "heap collections", nic -> nic.report().collections());
        row(table, "quiet once closed", nic -> nic.report().quiesced() ? "yes" : "no");
        row(table, "memory given back", nic -> nic.report().released() ? "yes" : "no");
        return table;
    }

    private static Object tcp(NicResult nic, long number) {
        return nic.report().tcp().happened() ? number : "-";
    }

    private void row(Table table, String name, Function<NicResult, Object> cell) {
        table.row(Stream.concat(Stream.of(name), nics.stream().map(cell)).toArray());
    }

    /** Sums over all NICs, and each NIC's own part. */
    public Object toJson(double seconds) {
        Direction all =
                nics.stream().map(NicResult::both).reduce(Direction::plus).orElseThrow();
        double exchanging =
                nics.stream().mapToDouble(nic -> nic.report().seconds()).sum();
        return Json.object(
                "pass", pass(),
                "seconds", seconds,
                "framesSent", all.sent(),
                "framesReceived", all.received(),
                "lost", all.lost(),
                "corrupt", all.corrupt(),
                "framesPerSecond", Math.round(all.received() / exchanging),
                "bytesAllocatedPerFrame",
                        nics.stream()
                                .mapToDouble(nic -> nic.report().allocatedPerFrame())
                                .max()
                                .orElseThrow(),
                "heapCollections",
                        nics.stream()
                                .mapToLong(nic -> nic.report().collections())
                                .sum(),
                "nics", nics.stream().map(NicResult::toJson).toList());
    }

    /** A demo that did not come to its end. */
    public static Object failure(double seconds, String message) {
        return Json.object("pass", false, "seconds", seconds, "message", message, "nics", List.of());
    }

    /** Says, of a demo that did not pass, what was wrong. */
    public String explainFailure() {
        return "the demo failed: "
                + String.join(
                        "; ",
                        nics.stream().flatMap(nic -> nic.faults().stream()).toList());
    }
}
