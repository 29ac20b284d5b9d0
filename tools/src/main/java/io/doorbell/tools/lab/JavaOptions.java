package io.doorbell.tools.lab;

import java.util.List;

/** Options of the Java virtual machines that tools start. */
public final class JavaOptions {

    /**
     * Where the processor is emulated, what counts is to start soon. C2 costs more there than it gains, and so do the
     * classes that jnr-ffi writes for system calls: a demo makes few.
     */
    public static final List<String> GUEST =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Djnr.ffi.asm.enabled=false");

    private JavaOptions() {}
}
