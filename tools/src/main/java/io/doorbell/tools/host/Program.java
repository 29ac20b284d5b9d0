package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A program that a command starts, and what it prints. Closing ends it. */
public final class Program implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 60;

    private final List<String> command;
    private final Path printed;
    private final Process process;
    private final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);

    private Program(List<String> command, Path printed, Process process) {
        this.command = command;
        this.printed = printed;
        this.process = process;
    }

    public static Program start(String... words) {
        List<String> command = List.of(words);
        try {
            Path printed = Files.createTempFile("doorbell-program", ".txt");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(printed.toFile())
                    .start();
            return new Program(command, printed, process);
        } catch (IOException e) {
            throw new DoorbellException("cannot start '" + String.join(" ", command) + "': " + e.getMessage(), e);
        }
    }

    /** Runs a program that is to succeed. */
    public static void run(String... words) {
        try (Program program = start(words)) {
            while (program.isRunning()) {
                nap();
            }
            int status = program.process.exitValue();
            if (status != 0) {
                throw new DoorbellException("'" + String.join(" ", words) + "' ended with status " + status + ": "
                        + program.output().strip());
            }
        }
    }

    /**
     * Whether it has not ended yet.
     *
     * @throws DoorbellException when it has not ended in a minute
     */
    public boolean isRunning() {
        boolean running = process.isAlive();
        if (running && System.nanoTime() - deadline > 0) {
            throw new DoorbellException("'" + String.join(" ", command) + "' did not end within " + PATIENCE_SECONDS
                    + " s; it printed: " + output().strip());
        }
        return running;
    }

    /** Standard output and standard error. */
    public String output() {
        try {
            return Files.readString(printed);
        } catch (IOException e) {
            throw new DoorbellException("cannot read " + printed + ": " + e.getMessage(), e);
        }
    }

    /** Leaves the CPU to others for a moment. */
    public static void nap() {
        LockSupport.parkNanos(200_000);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            Files.deleteIfExists(printed);
        } catch (IOException e) {
            throw new DoorbellException("cannot delete " + printed + ": " + e.getMessage(), e);
        }
    }
}
