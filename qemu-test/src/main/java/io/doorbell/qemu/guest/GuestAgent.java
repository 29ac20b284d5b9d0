package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.UnixChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of the guest's command channel; {@code guest-agent.sh} is the other, and describes what they say.
 *
 * <p>Any thread may start commands. A thread of its own listens, until the guest ends.
 */
final class GuestAgent implements AutoCloseable {

    private static final Duration WRITE = Duration.ofSeconds(30);
    private static final Duration LISTEN = Duration.ofDays(1);

    private final UnixChannel channel;
    private final Path jobs;
    private final AtomicInteger lastJob = new AtomicInteger();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final Map<Integer, CompletableFuture<Integer>> exits = new ConcurrentHashMap<>();
    private final Thread listener;
    private volatile @Nullable QemuException end;

    /**
     * Takes over a connection.
     *
     * @param jobs the folder that the guest sees as {@code /run/doorbell/jobs}
     */
    GuestAgent(UnixChannel channel, Path jobs) {
        this.channel = channel;
        this.jobs = jobs;
        listener = Thread.ofPlatform().daemon().name("doorbell-guest-agent").start(this::listen);
    }

    /** Waits until the guest has set itself up. */
    void awaitReady(Duration patience) {
        try {
            ready.get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw channel.failure("the guest was not ready within " + patience.toSeconds() + " s", null);
        } catch (ExecutionException e) {
            throw endedWhile("it was booting");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted while the guest was booting", e);
        }
    }

    /** Starts a command with these additions to its environment, in the folder that is this JVM's own. */
    GuestProcess start(List<String> command, Map<String, String> environment) {
        int job = lastJob.incrementAndGet();
        Path folder = jobs.resolve(String.valueOf(job));
        try {
            Files.createDirectory(folder);
            Files.createFile(folder.resolve("stdout"));
            Files.createFile(folder.resolve("stderr"));
            Files.writeString(folder.resolve("command"), script(job, command, environment));
        } catch (IOException e) {
            throw new QemuException("cannot prepare a command for the guest in " + folder + ": " + e.getMessage(), e);
        }
        CompletableFuture<Integer> exit = new CompletableFuture<>();
        exits.put(job, exit);
        QemuException ended = end;
        if (ended == null) {
            say("run " + job);
        } else {
            exit.completeExceptionally(ended); // the listener may have been past before it was in the map
        }
        return new GuestProcess(this, job, command, folder, exit);
    }

    private static String script(int job, List<String> command, Map<String, String> environment) {
        StringBuilder script = new StringBuilder("echo $$ >/run/doorbell/pids/" + job + "\n");
        environment.forEach((name, value) -> script.append("export " + name + "=" + ShellWords.quote(value) + "\n"));
        script.append("cd " + ShellWords.quote(System.getProperty("user.dir")) + "\n");
        return script.append("exec " + ShellWords.quote(command) + "\n").toString();
    }

    void signal(int job, String signal) {
        say("kill " + job + " " + signal);
    }

    /** An exception that shows why the guest has ended. */
    QemuException endedWhile(String what) {
        QemuException why = end;
        return new QemuException("the guest ended while " + what + ": " + (why == null ? "" : why.getMessage()), why);
    }

    /** An exception that says {@code what} and shows the guest's console. */
    QemuException failure(String what) {
        return channel.failure(what, null);
    }

    private synchronized void say(String line) {
        channel.writeFully(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII)), WRITE);
    }

    private void listen() {
        ByteBuffer input = ByteBuffer.allocate(4096);
        StringBuilder line = new StringBuilder();
        try {
            while (true) {
                channel.readSome(input.clear(), LISTEN, "word of the guest");
                for (input.flip(); input.hasRemaining(); ) {
                    char next = (char) input.get();
                    if (next == '\n') {
                        heard(line.toString());
                        line.setLength(0);
                    } else {
                        line.append(next);
                    }
                }
            }
        } catch (QemuException e) {
            end = e;
            ready.completeExceptionally(e);
            exits.values().forEach(exit -> exit.completeExceptionally(e));
        }
    }

    private void heard(String line) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("ready")) {
            ready.complete(null);
        } else if (words[0].equals("exit") && words.length == 3) {
            CompletableFuture<Integer> exit = exits.remove(Integer.parseInt(words[1]));
            if (exit != null) {
                exit.complete(Integer.parseInt(words[2]));
            }
        }
    }

    /** To be called when QEMU has ended, so that nobody writes or listens any more. */
    @Override
    public void close() {
        try {
            listener.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        channel.close();
    }
}
