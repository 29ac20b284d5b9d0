package io.doorbell.bench.peer;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Pause;
import io.doorbell.bench.env.PinnedJvm;
import io.doorbell.bench.load.NullBackEndRunner;
import io.doorbell.bench.workload.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/** A back-end that fills and drains at once, so that the driver is the limit: {@link NullBackEndRunner}. */
public final class NullBackEnd implements BackEnd {

    private final PinnedJvm jvm;
    private long polls;
    private long idlePolls;

    public NullBackEnd(int core, Path socket) {
        jvm = new PinnedJvm(core, NullBackEndRunner.class, socket.toString());
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
    public double measure(Workload workload, Duration window) {
        Pause.of(SETTLE);
        Counts before = Counts.parse(jvm.ask("count"));
        Pause.of(window);
        Counts after = Counts.parse(jvm.ask("count"));
        long frames = workload == Workload.RECEIVE ? after.received - before.received : after.sent - before.sent;
        if (frames == 0) {
            throw new DoorbellException("the null back-end has counted no frame");
        }
        polls += after.polls - before.polls;
        idlePolls += after.idlePolls - before.idlePolls;
        return frames * 1e3 / (after.nanos - before.nanos);
    }

    /** How many of its polls found nothing to do, since it was last asked: 0 to 1. */
    public double idleShare() {
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
