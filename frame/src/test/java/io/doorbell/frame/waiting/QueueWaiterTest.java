package io.doorbell.frame.waiting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.PollGate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class QueueWaiterTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    /** A queue whose device is the test. */
    private static final class Device extends Alarm {

        final EventFd event = EventFd.create(Kernel.linux());
        volatile boolean ready;
        volatile boolean armed;

        @Override
        public boolean arm() {
            event.clear();
            armed = true;
            return ready;
        }

        @Override
        public void disarm() {
            armed = false;
        }

        @Override
        public @Nullable EventFd event() {
            return event;
        }
    }

    private final Device one = new Device();
    private final Device other = new Device();
    private final QueueWaiter waiter = new QueueWaiter().add(one).add(other);

    @AfterEach
    void close() {
        waiter.close();
        one.event.close();
        other.event.close();
    }

    private CompletableFuture<Boolean> sleeper() {
        CompletableFuture<Boolean> sleeper = CompletableFuture.supplyAsync(() -> waiter.await(LONG));
        assertThat(BoundedWait.until(() -> other.armed, LONG)).isTrue();
        return sleeper;
    }

    @Test
    void sleepsUntilTheTimeIsOver() {
        long start = System.nanoTime();
        assertThat(waiter.await(Duration.ofMillis(30))).isFalse();
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(30_000_000L);
        assertThat(waiter.await(Duration.ZERO)).isFalse();
        assertThat(waiter.await(Duration.ofNanos(-1))).isFalse();
        assertThat(one.armed || other.armed).isFalse();
    }

    @Test
    void doesNotSleepWhereThereIsSomethingToDo() {
        other.ready = true;
        assertThat(waiter.await(LONG)).isTrue();
        assertThat(one.armed || other.armed).isFalse();
    }

    @Test
    void isWokenByAnyOfItsDevices() {
        CompletableFuture<Boolean> sleeper = sleeper();
        one.event.signal();
        assertThat(sleeper.join()).isTrue();
        assertThat(one.armed || other.armed).isFalse();
        assertThat(waiter.await(Duration.ofMillis(1))).as("once").isFalse();
    }

    @Test
    void isWokenByADriver() {
        CompletableFuture<Boolean> sleeper = sleeper();
        other.ring();
        assertThat(sleeper.join()).isTrue();
    }

    @Test
    void isWokenByAGateThatOpensOrCloses() {
        PollGate gate = new PollGate("a queue");
        gate.onChange(other::ring);
        CompletableFuture<Boolean> sleeper = sleeper();
        gate.shut();
        gate.open();
        assertThat(sleeper.join()).isTrue();
        sleeper = sleeper();
        gate.close();
        assertThat(sleeper.join()).isTrue();
    }

    @Test
    void isWokenByAnotherThreadAlsoBeforeItSleeps() {
        CompletableFuture<Boolean> sleeper = sleeper();
        waiter.wake();
        assertThat(sleeper.join()).isTrue();
        waiter.wake();
        waiter.wake();
        assertThat(waiter.await(LONG)).isTrue();
        assertThat(waiter.await(Duration.ofMillis(1))).isFalse();
    }

    @Test
    void isWokenOnceForEachChangeOfTheLink() {
        LinkWatch link = new LinkWatch("a NIC");
        waiter.add(link.alarm());
        link.seen(new LinkState(true, 1000, true));
        assertThat(waiter.await(LONG)).isTrue();
        assertThat(waiter.await(Duration.ofMillis(1))).as("the same").isTrue(); // it was rung, too
        assertThat(waiter.await(Duration.ofMillis(1))).isFalse();
        CompletableFuture<Boolean> sleeper = sleeper();
        link.seen(LinkState.DOWN);
        assertThat(sleeper.join()).isTrue();
    }

    @Test
    void tellsWhoSleepsThatItWasClosed() {
        CompletableFuture<Boolean> sleeper = sleeper();
        waiter.close();
        waiter.close();
        assertThatThrownBy(sleeper::join).hasRootCauseInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> waiter.await(LONG)).isInstanceOf(IllegalStateException.class);
        waiter.wake();
        one.ring(); // which it has let go of
    }

    /** More of them than there are carriers. */
    @Test
    void keepsNoCarrierFromOtherVirtualThreads() throws InterruptedException {
        int count = 4 * Runtime.getRuntime().availableProcessors();
        List<QueueWaiter> waiters = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        CountDownLatch asleep = new CountDownLatch(count);
        AtomicInteger woken = new AtomicInteger();
        for (int i = 0; i < count; i++) {
            QueueWaiter each = new QueueWaiter();
            waiters.add(each);
            threads.add(Thread.startVirtualThread(() -> {
                asleep.countDown();
                if (each.await(LONG)) {
                    woken.incrementAndGet();
                }
            }));
        }
        assertThat(asleep.await(30, java.util.concurrent.TimeUnit.SECONDS))
                .as("all got to run")
                .isTrue();
        Thread another = Thread.startVirtualThread(() -> waiters.forEach(QueueWaiter::wake));
        assertThat(another.join(LONG)).isTrue();
        for (Thread thread : threads) {
            assertThat(thread.join(LONG)).isTrue();
        }
        assertThat(woken).hasValue(count);
        waiters.forEach(QueueWaiter::close);
    }
}
