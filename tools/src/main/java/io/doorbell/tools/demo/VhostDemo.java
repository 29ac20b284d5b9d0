package io.doorbell.tools.demo;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.tools.host.LeakCheck;
import io.doorbell.tools.text.Progress;
import java.time.Duration;
import java.util.List;

/**
 * {@code nicctl demo --nic vhost-user}: this process is the front-end, the driver's side, and {@link VhostDemoBackEnd}
 * in another one is the back-end. They have nothing in common but a socket, which they find each other by, and memory.
 */
public final class VhostDemo {

    private static final Duration LINK = Duration.ofSeconds(30);

    private final Progress progress;
    private final int frames;

    public VhostDemo(Progress progress, int frames) {
        this.progress = progress;
        this.frames = frames;
    }

    public DemoResult run() {
        progress.begin("starting another Java, the back-end");
        try (VhostDemoProcess backEnd = VhostDemoProcess.start(frames)) {
            backEnd.awaitReady();
            progress.done("process " + backEnd.pid());
            NicReport ours = drive(backEnd.socket());
            boolean released = LeakCheck.ofThisProcess().isEmpty();
            NicReport theirs = backEnd.awaitReport();
            NicReport report = ours.withMemoryOf(theirs).closed(theirs.quiesced(), released && theirs.released());
            return new DemoResult(List.of(DemoResult.NicResult.of(frames, report, theirs.counts(), null)));
        }
    }

    private NicReport drive(String socket) {
        progress.begin("opening the front-end");
        try (Nic nic = Nic.open("vhost-user:" + socket)) {
            LinkState link = nic.awaitLink(LINK);
            progress.done(nic.model());
            progress.begin(String.format("exchanging %,d frames each way", frames));
            NicExchange exchange = new NicExchange(nic, VhostDemoBackEnd.exchange(false, frames));
            exchange.run(frames);
            progress.done(String.format("%,d a second", Math.round(2 * frames / exchange.seconds())));
            return NicReport.of(nic, link, Pings.NONE, TcpResult.NONE, IdleTime.NONE, exchange);
        }
    }
}
