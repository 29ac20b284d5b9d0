package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.spi.BoundedWait;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** An example's {@code main} on a thread of its own, which ends as with Ctrl-C. */
final class RunningExample implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(30);

    /** An example's {@code main}, with its arguments. */
    interface Main {
        void run() throws Exception;
    }

    private final FutureTask<Void> task;
    private final Thread thread;

    RunningExample(Main main) {
        task = new FutureTask<>(() -> {
            main.run();
            return null;
        });
        thread = Thread.ofPlatform().daemon().start(task);
    }

    /** Returns once the example listens at this socket. */
    void awaitSocket(Path socket) throws Exception {
        BoundedWait.until(() -> Files.exists(socket) || task.isDone(), SOON);
        if (task.isDone()) {
            task.get(); // throws what it threw
        }
        assertThat(socket).exists();
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            assertThat(thread.join(SOON)).as("it ends").isTrue();
            task.get(); // throws what it threw
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
