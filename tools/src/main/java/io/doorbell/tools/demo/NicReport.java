package io.doorbell.tools.demo;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.qemu.link.NumberedExchange.Counts;
import io.doorbell.tools.text.Json;
import java.util.Map;
import java.util.Objects;

/**
 * What the process that drove a NIC in a demo has to tell of it.
 *
 * @param seconds that the exchange took
 * @param counts of the exchange, seen from the NIC
 * @param measured frames, both ways, of the part of the exchange over which memory was measured
 * @param allocated bytes that the loop's thread allocated over that part
 * @param collections of the heap during the exchange
 * @param quiesced whether the device was off the bus when the NIC had been closed
 * @param released whether the process held nothing of the NIC any more by then
 */
record NicReport(
        String driver,
        String model,
        String address,
        String mac,
        String link,
        Pings pings,
        double seconds,
        Counts counts,
        long measured,
        long allocated,
        long collections,
        boolean quiesced,
        boolean released) {

    /** Of an open NIC, after its exchange: what is true once it is closed is not known yet. */
    static NicReport of(Nic nic, LinkState link, Pings pings, NicExchange exchange) {
        return new NicReport(
                NicCandidate.named(nic.name()).driver(),
                nic.model(),
                nic.name(),
                nic.macAddress().toString(),
                link.toString(),
                pings,
                exchange.seconds(),
                exchange.counts(),
                exchange.measuredFrames(),
                exchange.allocatedBytes(),
                exchange.heapCollections(),
                false,
                false);
    }

    /** The same, of a NIC that has been closed since. */
    NicReport closed(boolean isQuiesced, boolean isReleased) {
        return new NicReport(
                driver,
                model,
                address,
                mac,
                link,
                pings,
                seconds,
                counts,
                measured,
                allocated,
                collections,
                isQuiesced,
                isReleased);
    }

    /** The same, with what the process at the other end needed on top. */
    NicReport withMemoryOf(NicReport other) {
        return new NicReport(
                driver,
                model,
                address,
                mac,
                link,
                pings,
                seconds,
                counts,
                measured,
                allocated + other.allocated,
                collections + other.collections,
                quiesced,
                released);
    }

    double allocatedPerFrame() {
        return measured == 0 ? 0 : (double) allocated / measured;
    }

    /** In one line. */
    String toLine() {
        return Json.writeLine(Json.object(
                "driver", driver,
                "model", model,
                "address", address,
                "mac", mac,
                "link", link,
                "pingsSent", pings.sent(),
                "pingsAnswered", pings.answered(),
                "seconds", seconds,
                "sent", counts.sent(),
                "expected", counts.expected(),
                "received", counts.received(),
                "corrupt", counts.corrupt(),
                "duplicates", counts.duplicates(),
                "reordered", counts.reordered(),
                "foreign", counts.foreign(),
                "measured", measured,
                "allocated", allocated,
                "collections", collections,
                "quiesced", quiesced,
                "released", released));
    }

    static NicReport parse(String line) {
        Map<String, Object> members = Json.read(line);
        Counts counts = new Counts(
                number(members, "sent"),
                number(members, "expected"),
                number(members, "received"),
                number(members, "corrupt"),
                number(members, "duplicates"),
                number(members, "reordered"),
                number(members, "foreign"));
        return new NicReport(
                text(members, "driver"),
                text(members, "model"),
                text(members, "address"),
                text(members, "mac"),
                text(members, "link"),
                new Pings((int) number(members, "pingsSent"), (int) number(members, "pingsAnswered")),
                ((Number) member(members, "seconds")).doubleValue(),
                counts,
                number(members, "measured"),
                number(members, "allocated"),
                number(members, "collections"),
                (Boolean) member(members, "quiesced"),
                (Boolean) member(members, "released"));
    }

    private static long number(Map<String, Object> members, String name) {
        return ((Number) member(members, name)).longValue();
    }

    private static String text(Map<String, Object> members, String name) {
        return member(members, name).toString();
    }

    private static Object member(Map<String, Object> members, String name) {
        return Objects.requireNonNull(members.get(name), name);
    }
}
