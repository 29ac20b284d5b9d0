package io.doorbell.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.waiting.QueueWaiter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that sleep on both ends of a vhost-user socket: no edge is lost, and whatever changes wakes them. */
@Timeout(300)
class VhostWaitingTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    /** How often each end speaks. */
    int rounds() {
        return 5_000;
    }

    @TempDir
    private Path dir;

    private Nic backEnd(String... without) {
        return Nic.open(
                "vhost-user-backend:" + dir.resolve("v.sock"),
                NicConfig.defaults().withoutFeatures(without));
    }

    private Nic frontEnd() {
        return Nic.open("vhost-user:" + dir.resolve("v.sock"), NicConfig.defaults());
    }

    /** One end of a conversation in which only the one speaks who was spoken to. */
    private record End(Nic nic, QueueWaiter waiter, FrameBatch batch) implements AutoCloseable {

        static End of(Nic nic) {
            return new End(nic, new QueueWaiter().add(nic, 0), new FrameBatch(8));
        }

        void say(int number) {
            Frame frame = nic.pool().allocate(batch);
            assertThat(frame).isNotNull();
            frame.length(60);
            frame.setInt(20, number);
            while (nic.txQueue(0).send(batch) == 0) {
                Thread.onSpinWait();
            }
        }

        /** Sleeps as soon as there is nothing: that is where an edge would be lost. */
        int hear() {
            while (nic.rxQueue(0).receive(batch) == 0) {
                assertThat(waiter.await(LONG)).as("it is woken").isTrue();
            }
            int number = batch.frame(0).getInt(20);
            batch.release();
            return number;
        }

        @Override
        public void close() {
            waiter.close();
            nic.close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "VIRTIO_F_RING_PACKED",
                "VIRTIO_F_RING_PACKED,VIRTIO_F_EVENT_IDX",
                "VIRTIO_F_EVENT_IDX",
                "VIRTIO_F_IN_ORDER",
            })
    void losesNoEdge(String without) {
        try (End back = End.of(backEnd(without.split(",")));
                End front = End.of(frontEnd())) {
            back.nic.awaitLink(LONG);
            CompletableFuture<Void> echo = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < rounds(); i++) {
                    back.say(back.hear());
                }
            });
            for (int i = 0; i < rounds(); i++) {
                front.say(i);
                assertThat(front.hear()).isEqualTo(i);
            }
            echo.join();
            assertThat(back.nic.statistics().details().get("tx[0].calls"))
                    .as("interrupts of the front-end")
                    .isPositive();
        }
    }

    /** CPU time and not wall-clock time, so it does not matter how busy the machine is. */
    @Test
    void costsNoCpuWhileItSleeps() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        try (End back = End.of(backEnd());
                End front = End.of(frontEnd())) {
            back.nic.awaitLink(LONG);
            for (End end : new End[] {front, back}) {
                while (end.waiter.await(Duration.ofMillis(100))) {
                    end.nic.rxQueue(0).receive(end.batch); // what the start had to tell
                }
                long before = threads.getCurrentThreadCpuTime();
                assertThat(end.waiter.await(Duration.ofMillis(500))).isFalse();
                assertThat(threads.getCurrentThreadCpuTime() - before)
                        .as("nanoseconds of CPU in 500 ms")
                        .isLessThan(50_000_000);
            }
        }
    }

    private static CompletableFuture<Throwable> sleepsUntilItThrows(End end) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                while (true) {
                    end.nic.rxQueue(0).receive(end.batch);
                    end.waiter.await(LONG);
                }
            } catch (RuntimeException e) {
                return e;
            }
        });
    }

    @Test
    void isWokenByWhoeverStopsOrClosesTheNic() throws Exception {
        try (End back = End.of(backEnd());
                End front = End.of(frontEnd())) {
            for (End end : new End[] {front, back}) {
                CompletableFuture<Throwable> sleeper = sleepsUntilItThrows(end);
                Thread.sleep(50); // so that it sleeps, which it may also not do
                end.nic.stop();
                assertThat(sleeper.join()).isInstanceOf(IllegalStateException.class);
                end.nic.start();
                sleeper = sleepsUntilItThrows(end);
                Thread.sleep(50);
                end.nic.close();
                assertThat(sleeper.join()).isInstanceOf(NicClosedException.class);
            }
        }
    }

    @Test
    void hearsOfAFrontEndThatComesBack() {
        try (End back = End.of(backEnd())) {
            for (int session = 0; session < 5; session++) {
                int number = session;
                CompletableFuture<Integer> sleeper = CompletableFuture.supplyAsync(back::hear);
                try (End front = End.of(frontEnd())) {
                    front.say(number);
                    assertThat(sleeper.join()).isEqualTo(number);
                }
            }
        }
    }

    @Test
    void hearsOfABackEndThatComesBack() {
        End first = End.of(backEnd());
        try (End front = End.of(frontEnd())) {
            CompletableFuture<Integer> sleeper = CompletableFuture.supplyAsync(front::hear);
            first.close();
            try (End second = End.of(backEnd())) {
                second.nic.awaitLink(LONG);
                second.say(7);
                assertThat(sleeper.join()).isEqualTo(7);
            }
        }
    }

    @Test
    void tellsOfTheLink() {
        try (QueueWaiter waiter = new QueueWaiter();
                End back = End.of(backEnd())) {
            waiter.addLink(back.nic);
            assertThat(waiter.await(Duration.ofMillis(1))).isFalse();
            CompletableFuture<Boolean> sleeper = CompletableFuture.supplyAsync(() -> waiter.await(LONG));
            try (Nic front = frontEnd()) {
                assertThat(sleeper.join()).isTrue();
                assertThat(back.nic.awaitLink(LONG).up()).isTrue();
                assertThat(front.linkState().up()).isTrue();
                while (waiter.await(Duration.ofMillis(100))) {
                    // the steps by which it came up
                }
                sleeper = CompletableFuture.supplyAsync(() -> waiter.await(LONG));
            }
            assertThat(sleeper.join()).isTrue();
        }
    }

    @Test
    void refusesAQueueThatThereIsNot() {
        try (QueueWaiter waiter = new QueueWaiter();
                Nic back = backEnd()) {
            assertThatThrownBy(() -> waiter.add(back, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
