package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.NicClosedException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class PollGateTest {

    private final PollGate gate = new PollGate("receive queue 0");

    @Test
    void letsOnePollInAtATime() {
        assertThat(gate.enter()).isTrue();
        assertThat(gate.enter()).isFalse();
        assertThat(gate.turnedAway()).isZero();
        gate.leave();
        assertThat(gate.enter()).isTrue();
    }

    @Test
    void turnsPollsAwayWhileItIsShut() {
        gate.shut();
        assertThat(gate.enter()).isFalse();
        assertThat(gate.turnedAway()).isZero();
        assertThatThrownBy(gate::shut).isInstanceOf(IllegalStateException.class).hasMessageContaining("shut already");
        gate.open();
        assertThat(gate.enter()).isTrue();
    }

    @Test
    void saysWhatIsClosed() {
        gate.close();
        gate.close();
        assertThat(gate.enter()).isFalse();
        assertThatThrownBy(gate::turnedAway)
                .isInstanceOf(NicClosedException.class)
                .hasMessage("receive queue 0 is closed");
        assertThatThrownBy(gate::shut).isInstanceOf(NicClosedException.class);
    }

    @Test
    void closesFromShut() {
        gate.shut();
        gate.close();
        assertThatThrownBy(gate::turnedAway).isInstanceOf(NicClosedException.class);
    }

    /** The thread that shuts finds the other one never inside, and sees what it wrote there. */
    @Test
    void keepsBothThreadsApart() throws InterruptedException {
        AtomicReference<Throwable> end = new AtomicReference<>();
        int[] plain = new int[2]; // never equal but for as long as one thread is inside
        Thread poller = Thread.ofPlatform().start(() -> {
            try {
                while (true) {
                    if (gate.enter()) {
                        plain[0]++;
                        plain[1]++;
                        gate.leave();
                    } else {
                        gate.turnedAway();
                    }
                }
            } catch (NicClosedException e) {
                end.set(e);
            }
        });
        for (int i = 0; i < 10_000; i++) {
            gate.shut();
            assertThat(plain[0]).isEqualTo(plain[1]);
            plain[0]++;
            plain[1]++;
            gate.open();
        }
        gate.close();
        poller.join();
        assertThat(end.get()).isInstanceOf(NicClosedException.class);
        assertThat(plain[0]).isEqualTo(plain[1]).isGreaterThanOrEqualTo(10_000);
    }
}
