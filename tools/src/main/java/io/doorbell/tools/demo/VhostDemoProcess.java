package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.ScratchFolder;
import io.doorbell.qemu.guest.GuestMachine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The process in which {@link VhostDemoBackEnd} runs. Closing ends it; it ends with this JVM at the latest. */
final class VhostDemoProcess implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(60);
    /** Longer than anything that the back-end itself waits for. */
    private static final Duration END = Duration.ofSeconds(90);

    private final ScratchFolder folder;
    private final Process process;
    private final BufferedReader lines;

    private VhostDemoProcess(ScratchFolder folder, Process process) {
        this.folder = folder;
        this.process = process;
        this.lines = process.inputReader();
    }

    static VhostDemoProcess start(int frames) {
        ScratchFolder folder = ScratchFolder.create("doorbell-demo");
        try {
            List<String> command = GuestMachine.java(
                    VhostDemoBackEnd.class.getName(), socketIn(folder).toString(), String.valueOf(frames));
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            return new VhostDemoProcess(folder, process);
        } catch (IOException e) {
            folder.close();
            throw new DoorbellException("cannot start another Java: " + e.getMessage(), e);
        }
    }

    private static Path socketIn(ScratchFolder folder) {
        return folder.file("vhost.sock");
    }

    long pid() {
        return process.pid();
    }

    /** The path of its socket. */
    String socket() {
        return socketIn(folder).toString();
    }

    /** Waits until it listens. */
    void awaitReady() {
        awaitLine(VhostDemoBackEnd.READY, START);
    }

    /** Waits for what it has to tell when all is over. */
    NicReport awaitReport() {
        return NicReport.parse(awaitLine(VhostDemoBackEnd.REPORT, END));
    }

    /** The next line, which is to begin so, without its beginning. */
    private String awaitLine(String start, Duration patience) {
        String line;
        try {
            line = CompletableFuture.supplyAsync(
                            this::nextLine, task -> Thread.ofPlatform().daemon().start(task))
                    .get(patience.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new DoorbellException(
                    "the back-end (process " + pid() + ") was silent for " + patience.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw new DoorbellException("cannot read what the back-end prints: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted while waiting for the back-end", e);
        }
        if (line.startsWith(start)) {
            return line.substring(start.length());
        }
        throw new DoorbellException(
                line.startsWith(VhostDemoBackEnd.FAILURE)
                        ? "the back-end: " + line.substring(VhostDemoBackEnd.FAILURE.length())
                        : "the back-end (process " + pid() + ") ended, or printed what it should not: '" + line + "'");
    }

    private String nextLine() {
        try {
            String line = lines.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(END.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        folder.close();
    }
}
