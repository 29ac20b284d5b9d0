package io.doorbell.tools.bench;

import io.doorbell.DoorbellException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/** A back-end that fills and drains at once, so that the driver is the limit: the program of driver-virtio's. */
final class NullBackEnd implements BackEnd {

    private static final String MAIN = "io.doorbell.virtio.vhost.backend.NullBackEnd";

    private final PinnedJvm jvm;
    private long polls;
    private long idlePolls;

    NullBackEnd(int core, Path socket) {
        jvm = new PinnedJvm(core, MAIN, socket.toString());
        jvm.ask("ready?");
    }

    private record Counts(long nanos, long received, long sent, long polls, long idlePolls) {

        static Counts parse(String line) {
            long[] n = Arrays.stream(line.split(" ", -1))
                    .mapToLong(Long::parseLong)
                    .toArray();
            return new Counts(n[0], n[1], n[2], n[3], n[4]);
        }
    }

    @Override
    public double measure(Work work, Duration window) {
        VhostUserScenario.sleep(VhostUserScenario.SETTLE);
        Counts before = Counts.parse(jvm.ask("count"));
        VhostUserScenario.sleep(window);
        Counts after = Counts.parse(jvm.ask("count"));
        long frames = work == Work.RECEIVE ? after.received - before.received : after.sent - before.sent;
        if (frames == 0) {
            throw new DoorbellException("the null back-end has counted no frame");
        }
        polls += after.polls - before.polls;
        idlePolls += after.idlePolls - before.idlePolls;
        return frames * 1e3 / (after.nanos - before.nanos);
    }

    /** How many of its polls found nothing to do, since it was last asked: 0 to 1. */
    double idleShare() {
        double share = polls == 0 ? 0 : (double) idlePolls / polls;
        polls = 0;
        idlePolls = 0;
        return share;
    }

    @Override
    public void close() {
        jvm.close();
    }
}
