package io.doorbell.tools.demo;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicCandidate;
import io.doorbell.qemu.link.NumberedExchange.Counts;
import io.doorbell.tools.text.Json;

/**
 * What the process that drove a NIC in a demo has to tell of it.
 *
 * @param tcp what came of the stream to the kernel
 * @param idle what sleeping took
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
        TcpResult tcp,
        IdleTime idle,
        double seconds,
        Counts counts,
        long measured,
        long allocated,
        long collections,
        boolean quiesced,
        boolean released) {

    /** Of an open NIC, after its exchange: what is true once it is closed is not known yet. */
    static NicReport of(Nic nic, LinkState link, Pings pings, TcpResult tcp, IdleTime idle, NicExchange exchange) {
        return new NicReport(
                NicCandidate.named(nic.name()).driver(),
                nic.model(),
                nic.name(),
                nic.macAddress().toString(),
                link.toString(),
                pings,
                tcp,
                idle,
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
                tcp,
                idle,
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
                tcp,
                idle,
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
                "driver",
                driver,
                "model",
                model,
                "address",
                address,
                "mac",
                mac,
                "link",
                link,
                "pingsSent",
                pings.sent(),
                "pingsAnswered",
                pings.answered(),
                "tcp",
                tcp.toJson(),
                "idle",
                idle.toJson(),
                "seconds",
                seconds,
                "sent",
                counts.sent(),
                "expected",
                counts.expected(),
                "received",
                counts.received(),
                "corrupt",
                counts.corrupt(),
                "duplicates",
                counts.duplicates(),
                "reordered",
                counts.reordered(),
                "foreign",
                counts.foreign(),
                "measured",
                measured,
                "allocated",
                allocated,
                "collections",
                collections,
                "quiesced",
                quiesced,
                "released",
                released));
    }

    static NicReport parse(String line) {
        Members members = Members.of(line);
        Counts counts = new Counts(
                members.number("sent"),
                members.number("expected"),
                members.number("received"),
                members.number("corrupt"),
                members.number("duplicates"),
                members.number("reordered"),
                members.number("foreign"));
        return new NicReport(
                members.text("driver"),
                members.text("model"),
                members.text("address"),
                members.text("mac"),
                members.text("link"),
                new Pings((int) members.number("pingsSent"), (int) members.number("pingsAnswered")),
                TcpResult.parse(members.object("tcp")),
                IdleTime.parse(members.object("idle")),
                members.fraction("seconds"),
                counts,
                members.number("measured"),
                members.number("allocated"),
                members.number("collections"),
                members.flag("quiesced"),
                members.flag("released"));
    }
}
