package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.waiting.QueueWaiter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LinkWatchTest {

    @Test
    void letsNobodySleepOnANicThatIsClosedJustThen() {
        EventFd event = EventFd.create(Kernel.linux());
        AtomicReference<LinkWatch> watch = new AtomicReference<>();
        watch.set(new LinkWatch("nic", () -> {}, () -> {
            watch.get().close(); // by another thread, between two steps of the one that is about to sleep
            event.close();
            return event;
        }));
        try (QueueWaiter waiter = new QueueWaiter().add(watch.get().alarm())) {
            assertThat(waiter.await(Duration.ofSeconds(20))).isTrue();
        }
    }
}
