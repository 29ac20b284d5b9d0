package io.doorbell.bench.env;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How far two cores are from each other: how long a cache line takes there and back. In a virtual machine this changes
 * within seconds, as the host moves its processors about, between some 50 ns on one core and 500 ns where no cache is
 * shared; and what passes between two cores goes as fast as that allows.
 *
 * <p>Two JVMs, a core each, which sleep but for the few milliseconds of a measurement.
 */
public final class CoreDistance implements AutoCloseable {

    /** Bytes of a cache line. */
    static final int LINE = 64;

    private static final int WARM_UP = 30;

    private final PinnedJvm ping;
    private final PinnedJvm pong;

    public CoreDistance(Cores cores, ScratchFolder folder) {
        Path file = folder.file("line");
        try {
            Files.write(file, new byte[LINE]);
        } catch (IOException e) {
            throw new DoorbellException("cannot write " + file + ": " + e.getMessage(), e);
        }
        ping = new PinnedJvm(cores.own(), DistanceEnd.class, file.toString());
        pong = new PinnedJvm(cores.other(), DistanceEnd.class, file.toString());
        for (int i = 0; i < WARM_UP; i++) {
            nanos();
        }
    }

    /** Of a cache line's way there and back, now. */
    public double nanos() {
        pong.say("pong");
        double nanos = Double.parseDouble(ping.ask("ping"));
        pong.answer();
        return nanos;
    }

    @Override
    public void close() {
        ping.close();
        pong.close();
    }
}
