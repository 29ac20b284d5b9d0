package io.doorbell.tools.demo;

import io.doorbell.tools.text.Json;

/**
 * What came of a stream of bytes that went to the kernel over TCP.
 *
 * @param queues over which it went, a connection and a thread each
 * @param sent bytes that were to arrive
 * @param received bytes that the kernel's TCP handed over and that were right
 * @param frames of one or many segments that were given to the queues
 * @param segments that the kernel's interface has received
 * @param byNic whether the NIC made the segments and the checksums; else the driver's side did
 * @param checksumErrors that the kernel has counted
 * @param verified frames from the kernel in which the NIC found the checksum to be right
 * @param repeated how often a connection had to go back
 */
record TcpResult(
        int queues,
        long sent,
        long received,
        long frames,
        long segments,
        boolean byNic,
        long checksumErrors,
        long verified,
        long repeated) {

    /** Where there is no kernel at the other end. */
    static final TcpResult NONE = new TcpResult(0, 0, 0, 0, 0, false, 0, 0, 0);

    private static final double MIB = 1 << 20;

    boolean isPerfect() {
        return received == sent && checksumErrors == 0;
    }

    boolean happened() {
        return queues > 0;
    }

    String volume() {
        return happened() ? String.format("%.0f MiB", received / MIB) : "-";
    }

    String cut() {
        return happened() ? String.format("%,d into %,d", frames, segments) : "-";
    }

    String cutter() {
        return !happened() ? "-" : byNic ? "the NIC" : "software";
    }

    Object toJson() {
        return Json.object(
                "queues", queues,
                "bytesSent", sent,
                "bytesReceived", received,
                "frames", frames,
                "segments", segments,
                "segmentedByNic", byNic,
                "checksumErrors", checksumErrors,
                "checksumsVerifiedByNic", verified,
                "repeated", repeated);
    }

    static TcpResult parse(Members json) {
        return new TcpResult(
                (int) json.number("queues"),
                json.number("bytesSent"),
                json.number("bytesReceived"),
                json.number("frames"),
                json.number("segments"),
                json.flag("segmentedByNic"),
                json.number("checksumErrors"),
                json.number("checksumsVerifiedByNic"),
                json.number("repeated"));
    }
}
