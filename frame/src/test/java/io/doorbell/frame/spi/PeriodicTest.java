package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PeriodicTest {

    @Test
    void goesOnAlsoAfterAFailureUntilItIsClosed() throws InterruptedException {
        CountDownLatch thrice = new CountDownLatch(3);
        AtomicInteger afterwards = new AtomicInteger();
        CountDownLatch others = new CountDownLatch(3);
        try (Periodic _ = new Periodic("it", Duration.ofMillis(1), () -> {
            thrice.countDown();
            throw new IllegalStateException("on purpose");
        })) {
            assertThat(thrice.await(20, TimeUnit.SECONDS)).isTrue();
        }
        Periodic closed = new Periodic("it", Duration.ofMillis(1), afterwards::incrementAndGet);
        closed.close();
        closed.close();
        try (Periodic _ = new Periodic("another", Duration.ofMillis(1), others::countDown)) {
            assertThat(others.await(20, TimeUnit.SECONDS)).isTrue(); // on the same thread, so it would have run
        }
        assertThat(afterwards.get()).isLessThanOrEqualTo(1);
    }
}
