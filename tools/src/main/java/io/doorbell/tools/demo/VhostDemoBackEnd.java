package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.tools.host.LeakCheck;
import io.doorbell.tools.host.Program;
import io.doorbell.tools.text.Console;
import java.io.IOException;
import java.time.Duration;

/** The other process of {@link VhostDemo}: the back-end, the device's side. */
final class VhostDemoBackEnd {

    /** What it prints, a line each: that it listens; its {@link NicReport} at the end, or what it died of. */
    static final String READY = "ready";

    static final String REPORT = "report ";
    static final String FAILURE = "failure ";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final long FRONT_MAC = 0x02_00_00_00_00_01L;
    private static final long BACK_MAC = 0x02_00_00_00_00_02L;

    private VhostDemoBackEnd() {}

    /** The exchange as one of the two ends sees it. */
    static NumberedExchange exchange(boolean backEnd, int frames) {
        long destination = backEnd ? FRONT_MAC : BACK_MAC;
        long source = backEnd ? BACK_MAC : FRONT_MAC;
        return new NumberedExchange(destination, source, frames, frames, PeerExchange.WINDOW);
    }

    /** Takes the socket's path and the number of frames. */
    public static void main(String[] arguments) {
        Thread.ofPlatform().daemon().start(VhostDemoBackEnd::endWithWhoeverStartedUs);
        Console console = Console.ofProcess();
        try {
            NicReport report = serve(console, arguments[0], Integer.parseInt(arguments[1]));
            boolean released = LeakCheck.ofThisProcess().isEmpty();
            console.out()
                    .println(REPORT + report.closed(report.quiesced(), released).toLine());
        } catch (DoorbellException e) {
            console.out().println(FAILURE + e.getMessage());
        }
    }

    private static NicReport serve(Console console, String socket, int frames) {
        try (Nic nic = Nic.open("vhost-user-backend:" + socket)) {
            console.out().println(READY);
            LinkState link = nic.awaitLink(PATIENCE);
            NicExchange exchange = new NicExchange(nic, exchange(true, frames));
            exchange.run(frames);
            NicReport report = NicReport.of(nic, link, Pings.NONE, TcpResult.NONE, IdleTime.NONE, exchange);
            return report.closed(frontEndLeaves(nic), false);
        }
    }

    /** Whether it stops the queues within a reasonable time, so that its memory is left alone. */
    private static boolean frontEndLeaves(Nic nic) {
        long start = System.nanoTime();
        while (nic.linkState().up()) {
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                return false;
            }
            Program.nap();
        }
        return true;
    }

    private static void endWithWhoeverStartedUs() {
        try {
            while (System.in.read() >= 0) {
                // nobody writes: the end of this stream is the end of that process
            }
        } catch (IOException e) {
            // as good as its end
        }
        Runtime.getRuntime().halt(1);
    }
}
