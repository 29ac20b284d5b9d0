package io.doorbell.bench.peer;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Pause;
import io.doorbell.bench.workload.Shape;
import io.doorbell.bench.workload.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/** DPDK's vhost, which copies every frame. */
public final class DpdkBackEnd implements BackEnd {

    private static final Pattern RX = Pattern.compile("Rx-pps:\\s+(\\d+)");
    private static final Pattern TX = Pattern.compile("Tx-pps:\\s+(\\d+)");

    /** Frames that go round, in bursts of 32: as many as a ring holds, but for a few. */
    private static final int CIRCULATING_BURSTS = QUEUE_SIZE / 32 - 1;

    private final Testpmd testpmd;

    /**
     * Starts it; front-ends connect to {@code socket}.
     *
     * @param shape how it is used itself; for as many queues as the front-ends have, and frames as long
     */
    public DpdkBackEnd(int core, Path socket, Workload workload, boolean hugePages, Shape shape) {
        String port = "net_vhost0,iface=" + socket + ",queues=" + shape.queues();
        List<String> options = shape.testpmd();
        options.add("--disable-link-check"); // there is none before a front-end connects, and it would wait for it
        testpmd = Testpmd.start(core, port, workload.otherEnd, hugePages, List.of(), options);
    }

    /** From now on, frames that it sends of itself are of so many bytes. */
    public void length(int bytes) {
        testpmd.command("set txpkts " + bytes);
        String set = testpmd.command("show config txpkts");
        if (!set.contains("Segment sizes: " + bytes)) {
            throw new DoorbellException("the back-end does not send frames of " + bytes + " bytes: " + set.strip());
        }
    }

    @Override
    public double measure(Workload workload, Duration window) {
        testpmd.command(workload.circulates ? "start tx_first " + CIRCULATING_BURSTS : "start");
        Pause.of(SETTLE);
        testpmd.command("show port stats 0"); // the rate that this prints is that since the time before
        Pause.of(window);
        String statistics = testpmd.command("show port stats 0");
        testpmd.command("stop");
        double rate = Testpmd.number(workload == Workload.RECEIVE ? TX : RX, statistics) / 1e6;
        if (rate == 0) {
            throw new DoorbellException("the back-end has counted no frame: " + statistics.strip());
        }
        return rate;
    }

    @Override
    public void close() {
        testpmd.close();
    }
}
