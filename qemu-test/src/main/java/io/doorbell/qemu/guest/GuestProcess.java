package io.doorbell.qemu.guest;

import io.doorbell.qemu.LineReader;
import io.doorbell.qemu.QemuException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A command that was started in a guest. It ends with the guest at the latest.
 *
 * <p>Any thread may use it. A wait fails with {@link QemuException}, which shows the guest's console, when the guest ends
 * (a panic, for example), or when its time is over.
 */
public final class GuestProcess {

    private static final long GLANCE_MILLIS = 20;

    private final GuestAgent agent;
    private final int job;
    private final List<String> command;
    private final Path folder;
    private final CompletableFuture<Integer> exit;

    GuestProcess(GuestAgent agent, int job, List<String> command, Path folder, CompletableFuture<Integer> exit) {
        this.agent = agent;
        this.job = job;
        this.command = List.copyOf(command);
        this.folder = folder;
        this.exit = exit;
    }

    /** False once the command, or the guest, has ended. */
    public boolean isAlive() {
        return !exit.isDone();
    }

    /** What it has printed to its standard output so far. */
    public String stdout() {
        return printedTo("stdout");
    }

    /** What it has printed to its standard error so far. */
    public String stderr() {
        return printedTo("stderr");
    }

    /** Sends a signal, {@code "TERM"} for example, to the command and all that it has started. */
    public void signal(String name) {
        agent.signal(job, name);
    }

    /** Ends the command and all that it has started, as {@code kill -9} does. */
    public void kill() {
        signal("KILL");
    }

    /** Waits until the command ends. When its time is over it is killed, and an exception shows what it printed. */
    public GuestResult await(Duration patience) {
        return await(patience, line -> {});
    }

    /** As {@link #await(Duration)}, and passes on each line of its standard output, from the first on, as it appears. */
    public GuestResult await(Duration patience, Consumer<String> onLine) {
        Predicate<String> passOn = line -> {
            onLine.accept(line);
            return false;
        };
        follow(passOn, patience);
        Integer status = exit.getNow(null);
        if (status == null) {
            kill();
            throw unfinished("did not end", patience);
        }
        return new GuestResult(command, status, stdout(), stderr());
    }

    /** Waits, as long as a person at the guest's terminal likes, until the command or the guest ends. */
    void awaitEnd() {
        try {
            exit.exceptionally(guestEnded -> 0).get();
        } catch (ExecutionException e) {
            throw new AssertionError(e); // the line above leaves none
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted while the guest ran " + this, e);
        }
    }

    /** Waits until it prints a line to its standard output that begins so, and returns that line. */
    public String awaitLine(String start, Duration patience) {
        return follow(line -> line.startsWith(start), patience)
                .orElseThrow(() -> unfinished(
                        (isAlive() ? "did not print" : "ended and did not print") + " a line that begins with '" + start
                                + "'",
                        patience));
    }

    /** The first line that is wanted; empty if the command ends, or time is over, before there is one. */
    private Optional<String> follow(Predicate<String> wanted, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        try (LineReader lines = new LineReader(folder.resolve("stdout"))) {
            while (true) {
                boolean ended = awaitExit(Math.min(deadline - System.nanoTime(), GLANCE_MILLIS * 1_000_000));
                for (String line = lines.next(ended); line != null; line = lines.next(ended)) {
                    if (wanted.test(line)) {
                        return Optional.of(line);
                    }
                }
                if (ended || System.nanoTime() >= deadline) {
                    return Optional.empty();
                }
            }
        } catch (IOException e) {
            throw new QemuException("cannot read what the guest printed: " + e.getMessage(), e);
        }
    }

    private boolean awaitExit(long nanos) {
        try {
            exit.get(nanos, TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw agent.endedWhile("it ran " + this);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted while the guest ran " + this, e);
        }
    }

    private QemuException unfinished(String what, Duration patience) {
        return agent.failure(this + " " + what + " within " + patience.toMillis() / 1000.0 + " s\nstdout:\n"
                + stdout().strip() + "\nstderr:\n" + stderr().strip());
    }

    private String printedTo(String file) {
        try {
            return Files.readString(folder.resolve(file));
        } catch (IOException e) {
            throw new QemuException("cannot read what the guest printed: " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "'" + String.join(" ", command) + "'";
    }
}
