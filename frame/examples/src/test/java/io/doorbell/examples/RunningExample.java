package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.spi.BoundedWait;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
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
        boolean listens = BoundedWait.until(() -> task.isDone() || listens(socket), SOON);
        if (task.isDone()) {
            task.get(); // throws what it threw
        }
        assertThat(listens).as("it listens at %s", socket).isTrue();
    }

    /** The file is there a moment earlier. */
    private static boolean listens(Path socket) {
        try (SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return true;
        } catch (IOException e) {
            return false;
        }
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
