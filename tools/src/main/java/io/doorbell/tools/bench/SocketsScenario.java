package io.doorbell.tools.bench;

import io.doorbell.dma.DoorbellException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What a Java programmer would use otherwise, to get small packets from one JVM to another: a {@code DatagramChannel} over
 * loopback. Both JVMs have a core each; what arrives is counted.
 */
final class SocketsScenario implements Scenario {

    private static final Duration SETTLE = Duration.ofMillis(300);
    private static final Duration WARM_UP = Duration.ofSeconds(3);

    @Override
    public String name() {
        return "sockets";
    }

    @Override
    public String description() {
        return "from one JVM to another, vhost-user against the JDK's DatagramChannel over loopback";
    }

    @Override
    public void run(Bench bench) {
        Cores cores = Cores.choose();
        try (ScratchFolder folder = new ScratchFolder();
                PinnedJvm sender = new PinnedJvm(cores.own(), SocketEnd.class, List.of());
                PinnedJvm receiver = new PinnedJvm(cores.other(), SocketEnd.class, List.of())) {
            Path socket = folder.file("sockets.sock");
            Subject subject = new Subject(
                    name(),
                    "packed",
                    "DatagramChannel",
                    "Mframes/s",
                    true,
                    "64-byte frames from one JVM to another, through shared memory (vhost-user) and through the kernel's"
                            + " loopback; those that arrive are counted");
            bench.steps().begin("warming up both");
            Duration warmUp = bench.quick() ? WARM_UP.dividedBy(6) : WARM_UP;
            doorbell(sender, receiver, socket, warmUp);
            datagrams(sender, receiver, warmUp);
            bench.steps().done("");
            bench.add(bench.compare(
                    subject,
                    () -> doorbell(sender, receiver, socket, bench.window()),
                    () -> datagrams(sender, receiver, bench.window())));
        }
    }

    private static double doorbell(PinnedJvm sender, PinnedJvm receiver, Path socket, Duration window) {
        receiver.ask("nic " + Work.RECEIVE + " vhost-user-backend:" + socket);
        sender.ask("nic " + Work.SEND + " vhost-user:" + socket);
        return measure(sender, receiver, window);
    }

    private static double datagrams(PinnedJvm sender, PinnedJvm receiver, Duration window) {
        sender.ask("send " + receiver.ask("receive"));
        return measure(sender, receiver, window);
    }

    private static double measure(PinnedJvm sender, PinnedJvm receiver, Duration window) {
        sleep(SETTLE);
        String[] before = receiver.ask("count").split(" ", -1);
        sleep(window);
        String[] after = receiver.ask("count").split(" ", -1);
        sender.ask("stop");
        receiver.ask("stop");
        double frames = Long.parseLong(after[0]) - Long.parseLong(before[0]);
        if (frames == 0) {
            throw new DoorbellException("no frame arrived within " + window.toMillis() + " ms");
        }
        return frames * 1e3 / (Long.parseLong(after[1]) - Long.parseLong(before[1]));
    }

    private static void sleep(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }
}
