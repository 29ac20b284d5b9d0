package io.doorbell.tools;

import io.doorbell.qemu.NumberedExchange.Counts;
import java.util.Map;
import java.util.Objects;

/**
 * What the guest's half of a demo has to tell the host's.
 *
 * @param seconds that the exchange took
 * @param counts of the exchange, seen from the NIC
 * @param measured frames, both ways, of the part of the exchange over which memory was measured
 * @param allocated bytes that the loop's thread allocated over that part
 * @param collections of the heap during the exchange
 */
record GuestReport(
        String driver,
        String model,
        String address,
        String mac,
        String link,
        int pingSent,
        int pingAnswered,
        double seconds,
        Counts counts,
        long measured,
        long allocated,
        long collections) {

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
                "pingSent", pingSent,
                "pingAnswered", pingAnswered,
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
                "collections", collections));
    }

    static GuestReport parse(String line) {
        Map<String, Object> members = Json.read(line);
        Counts counts = new Counts(
                number(members, "sent"),
                number(members, "expected"),
                number(members, "received"),
                number(members, "corrupt"),
                number(members, "duplicates"),
                number(members, "reordered"),
                number(members, "foreign"));
        return new GuestReport(
                text(members, "driver"),
                text(members, "model"),
                text(members, "address"),
                text(members, "mac"),
                text(members, "link"),
                (int) number(members, "pingSent"),
                (int) number(members, "pingAnswered"),
                ((Number) member(members, "seconds")).doubleValue(),
                counts,
                number(members, "measured"),
                number(members, "allocated"),
                number(members, "collections"));
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
