package io.doorbell.tools;

import java.util.List;

/** Options of the Java virtual machines that tools start. */
final class JavaOptions {

    /** Where the processor is emulated, what counts is to start soon: C2 costs more there than it gains. */
    static final List<String> GUEST =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx256m", "-Xshare:auto");

    private JavaOptions() {}
}
