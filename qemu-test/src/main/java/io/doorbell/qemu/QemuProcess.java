package io.doorbell.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A running QEMU that cannot outlive this JVM, and everything that it has printed. */
public final class QemuProcess implements AutoCloseable {

    private static final int LOG_TAIL_BYTES = 16 * 1024;
    private static final Duration DYING = Duration.ofMillis(300);
    private static final Duration DEATH = Duration.ofSeconds(10);

    /**
     * Becomes QEMU, and leaves behind a watcher that holds the other end of a pipe from the JVM: however the JVM ends,
     * the kernel closes that pipe, the watcher's read returns, and QEMU is killed. When QEMU ends first, the JVM closes
     * the pipe as soon as it has noticed, and the watcher ends too.
     */
    private static final String DIE_WITH_JVM = """
            exec 3<&0
            (read -r _ <&3; kill -KILL $$) >/dev/null 2>&1 &
            exec "$@" </dev/null 3<&-
            """;

    private final Process process;
    private final List<String> command;
    private final FileChannel log;

    private QemuProcess(Process process, List<String> command, FileChannel log) {
        this.process = process;
        this.command = command;
        this.log = log;
    }

    /**
     * Starts QEMU.
     *
     * @param command the executable and its arguments
     * @param logFile receives standard output and standard error; may be deleted while QEMU runs
     */
    public static QemuProcess start(List<String> command, Path logFile) {
        List<String> guarded = new ArrayList<>(List.of("/bin/sh", "-c", DIE_WITH_JVM, "qemu"));
        guarded.addAll(command);
        try {
            FileChannel log = FileChannel.open(
                    logFile, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                Process process = new ProcessBuilder(guarded)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()))
                        .start();
                return new QemuProcess(process, List.copyOf(command), log);
            } catch (IOException e) {
                log.close();
                throw e;
            }
        } catch (IOException e) {
            throw new QemuException("cannot start " + command.getFirst() + ": " + e.getMessage(), e);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** Runs {@code action}, on a thread of the JDK's own, when QEMU has ended; at once if it has. */
    void onExit(Runnable action) {
        var _ = process.onExit().thenRun(action);
    }

    /** Waits until QEMU has ended of itself; false if it still runs when {@code patience} is over. */
    public boolean awaitExit(Duration patience) {
        try {
            return process.waitFor(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted while waiting for QEMU (pid " + pid() + ") to end", e);
        }
    }

    /** What QEMU has printed so far: the last {@value #LOG_TAIL_BYTES} bytes of it. */
    public String log() {
        try {
            long start = Math.max(0, log.size() - LOG_TAIL_BYTES);
            ByteBuffer tail = ByteBuffer.allocate(LOG_TAIL_BYTES);
            while (tail.hasRemaining() && log.read(tail, start + tail.position()) > 0) {
                // until the end of the file
            }
            return new String(tail.array(), 0, tail.position(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(QEMU's log cannot be read: " + e.getMessage() + ")";
        }
    }

    /** State, log and command line, for a failure's message. */
    public String describe() {
        // A connection that broke usually means that QEMU is about to end: its status says more than "runs".
        String state = !awaitExit(DYING) ? "runs as pid " + pid() : "ended with status " + process.exitValue();
        String words = log().strip();
        return "QEMU " + state + (words.isEmpty() ? " and printed nothing" : " and printed:\n" + words) + "\ncommand: "
                + String.join(" ", command);
    }

    /** Kills QEMU and waits until it is gone. Harmless when it has ended already. */
    @Override
    public void close() {
        process.destroyForcibly();
        try (log) {
            if (!awaitExit(DEATH)) {
                throw new QemuException("QEMU (pid " + pid() + ") survived SIGKILL for " + DEATH.toSeconds() + " s");
            }
        } catch (IOException e) {
            throw new QemuException("cannot close QEMU's log", e);
        }
    }
}
