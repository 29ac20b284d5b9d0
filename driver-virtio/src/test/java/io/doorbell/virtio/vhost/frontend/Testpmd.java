package io.doorbell.virtio.vhost.frontend;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** DPDK's test program as a vhost-user back-end, whose port sends back what it receives. It does not outlive the JVM. */
final class Testpmd implements AutoCloseable {

    private static final Duration DEATH = Duration.ofSeconds(10);

    /** As long as the pipe from the JVM is open, DPDK lives; see {@code QemuProcess}. */
    private static final String DIE_WITH_JVM = """
            exec 3<&0
            (read -r _ <&3; kill -KILL $$) >/dev/null 2>&1 &
            exec "$@" <&3 3<&-
            """;

    private final Process process;
    private final Path log;

    private Testpmd(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Skips the test, and says so, where DPDK is not installed. */
    static void assumeInstalled() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "dpdk-testpmd"))),
                "SKIPPED: there is no dpdk-testpmd on the PATH, so DPDK cannot judge vhost-user;"
                        + " ./verify installs it on Debian as root (package dpdk-dev)");
    }

    /**
     * Starts it; {@link #isListening} when it is ready.
     *
     * @param mode such as {@code io} or {@code macswap}
     * @param port options of its {@code net_vhost}, behind the socket's path
     */
    static Testpmd start(Path dir, Path socket, String mode, String port, int queues) {
        try {
            Files.deleteIfExists(socket); // one that was killed leaves it, and DPDK does not replace it
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return start(dir, "net_vhost0,iface=" + socket + ",queues=" + queues + port, mode, queues);
    }

    /**
     * Starts it as a front-end, DPDK's virtio-user, of the back-end that listens at {@code socket}.
     *
     * @param port options of its {@code net_virtio_user}, behind the socket's path
     */
    static Testpmd startFrontEnd(Path dir, Path socket, String mode, String port, int queues) {
        String device = "net_virtio_user0,path=" + socket + ",queues=" + queues + port;
        return start(dir, device, mode, queues);
    }

    private static Testpmd start(Path dir, String device, String mode, int queues) {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", DIE_WITH_JVM, "testpmd", "dpdk-testpmd"));
        command.addAll(List.of("--lcores", "0@0,1@1", "--no-pci", "--no-huge", "-m", "256", "--no-telemetry"));
        command.addAll(List.of("--file-prefix", dir.getFileName().toString(), "--vdev", device));
        command.addAll(List.of("--", "--auto-start", "--forward-mode=" + mode, "--no-lsc-interrupt"));
        // Else it throws away what has arrived before it starts to forward.
        command.add("--no-flush-rx");
        command.addAll(List.of("--rxq=" + queues, "--txq=" + queues, "--total-num-mbufs=" + 4096 * queues));
        Path log = dir.resolve("testpmd.log");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
            return new Testpmd(process, log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    String log() {
        try {
            return Files.readString(log, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    /** Kills it, as SIGKILL does: it cannot tidy up. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(DEATH.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("testpmd survived SIGKILL");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
