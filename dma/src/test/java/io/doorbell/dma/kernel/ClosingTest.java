package io.doorbell.dma.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.Supplier;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.Test;

/** The kernel gives the number of a closed descriptor to the next who opens something, at once. */
class ClosingTest {

    private final Kernel kernel = Kernel.linux();

    /** Takes the number that was freed last: the lowest that is free. */
    private EventFd next(int expected) {
        EventFd next = EventFd.create(kernel);
        assertThat(next.fd()).as("the number is used again").isEqualTo(expected);
        return next;
    }

    @Test
    void anEventIsClosedOnce() {
        EventFd event = EventFd.create(kernel);
        int number = event.fd();
        event.close();
        try (EventFd another = next(number)) {
            event.close();
            another.signal();
            assertThat(another.clear()).isTrue();
        }
    }

    @Test
    void anEventThatIsClosedTellsNobodyElse() {
        EventFd event = EventFd.create(kernel);
        int number = event.fd();
        event.close();
        try (EventFd another = next(number)) {
            for (Runnable use : List.<Runnable>of(event::signal, event::clear)) {
                assertThatThrownBy(use::run)
                        .isInstanceOfSatisfying(
                                KernelException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
            }
            assertThat(another.clear()).isFalse();
            assertThat(event.fd()).isEqualTo(-1);
        }
    }

    @Test
    void aMappingIsClosedOnce() {
        int file = kernel.memfdCreate("closing", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(file, 4096);
        Supplier<Mapping> map = () -> Mapping.shared(kernel, 4096, 0, file, 0);
        Mapping mapping = map.get();
        mapping.close();
        try (Mapping another = map.get()) {
            mapping.close();
            another.segment().fill((byte) 1);
        } finally {
            kernel.close(file);
        }
    }
}
