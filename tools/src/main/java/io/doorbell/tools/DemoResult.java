package io.doorbell.tools;

import static io.doorbell.tools.Table.number;
import static io.doorbell.tools.Table.text;

import io.doorbell.qemu.NumberedExchange.Counts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What came of a demo. */
record DemoResult(List<NicResult> nics) {

    DemoResult {
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

        Object toJson(double seconds) {
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
     * @param pcap recorded by QEMU
     */
    record NicResult(int frames, Direction toNic, Direction fromNic, GuestReport guest, Path pcap) {

        Direction both() {
            return toNic.plus(fromNic);
        }

        double framesPerSecond() {
            return both().received() / guest.seconds();
        }

        boolean pass() {
            return toNic.isPerfect(frames) && fromNic.isPerfect(frames) && guest.pingAnswered() == guest.pingSent();
        }

        /** Memory and collections are of the one loop that serves both directions. */
        Table table() {
            Table table = new Table(
                    text("FRAMES"),
                    number("SENT"),
                    number("RECEIVED"),
                    number("LOST"),
                    number("CORRUPT"),
                    number("FRAMES/S"),
                    number("BYTES ALLOCATED/FRAME"),
                    number("HEAP COLLECTIONS"));
            row(table, "peer to " + guest.driver(), toNic, null, null);
            row(table, guest.driver() + " to peer", fromNic, null, null);
            row(table, "both", both(), guest.allocatedPerFrame(), guest.collections());
            return table;
        }

        private void row(
                Table table, String name, Direction direction, @Nullable Double allocated, @Nullable Long collections) {
            table.row(
                    name,
                    direction.sent(),
                    direction.received(),
                    direction.lost(),
                    direction.corrupt(),
                    Math.round(direction.received() / guest.seconds()),
                    allocated,
                    collections);
        }

        Object toJson() {
            return Json.object(
                    "driver", guest.driver(),
                    "model", guest.model(),
                    "address", guest.address(),
                    "mac", guest.mac(),
                    "link", guest.link(),
                    "pass", pass(),
                    "ping", Json.object("sent", guest.pingSent(), "answered", guest.pingAnswered()),
                    "exchangeSeconds", guest.seconds(),
                    "peerToNic", toNic.toJson(guest.seconds()),
                    "nicToPeer", fromNic.toJson(guest.seconds()),
                    "bytesAllocatedPerFrame", guest.allocatedPerFrame(),
                    "heapCollections", guest.collections(),
                    "pcap", pcap.toString());
        }
    }

    boolean pass() {
        return nics.stream().allMatch(NicResult::pass);
    }

    /** Sums over all NICs, and each NIC's own part. */
    Object toJson(double seconds) {
        Direction all =
                nics.stream().map(NicResult::both).reduce(Direction::plus).orElseThrow();
        double exchanging =
                nics.stream().mapToDouble(nic -> nic.guest().seconds()).sum();
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
                                .mapToDouble(nic -> nic.guest().allocatedPerFrame())
                                .max()
                                .orElseThrow(),
                "heapCollections",
                        nics.stream()
                                .mapToLong(nic -> nic.guest().collections())
                                .sum(),
                "nics", nics.stream().map(NicResult::toJson).toList());
    }

    /** A demo that did not come to its end. */
    static Object failure(double seconds, String message) {
        return Json.object("pass", false, "seconds", seconds, "message", message, "nics", List.of());
    }

    /** Says, of a demo that did not pass, what was wrong. */
    String explainFailure() {
        List<String> faults = new ArrayList<>();
        for (NicResult nic : nics) {
            String name = nic.guest().driver();
            if (nic.guest().pingAnswered() != nic.guest().pingSent()) {
                faults.add(name + " answered " + nic.guest().pingAnswered() + " of "
                        + nic.guest().pingSent() + " pings");
            }
            explain(faults, "from the peer to " + name, nic.toNic(), nic.frames());
            explain(faults, "from " + name + " to the peer", nic.fromNic(), nic.frames());
        }
        return "the demo failed: " + String.join("; ", faults);
    }

    private static void explain(List<String> faults, String way, Direction direction, int frames) {
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
}
