package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.LEDCTL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.led.IgbLed;
import io.doorbell.igb.nvm.IgbNvm;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IgbPortLedTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration EVER = Duration.ofDays(1);
    private static final int BEFORE = 0x07068302;
    private static final int MEANWHILE = 0x8E0F8302;

    private final RecordingBar bar = new RecordingBar();
    private final FakeNic nic = new FakeNic();
    private final RegisterFile registers = new RegisterFile("test", bar);
    private final IgbPortLed led =
            new IgbPortLed("test", new IgbLed(registers, IgbModel.I82576, new IgbNvm(registers, IgbModel.I82576)), nic);

    /** A lock, and whether it is closed. */
    private final class FakeNic implements Inquiry {
        private boolean closed;

        @Override
        public synchronized <T> T ask(Supplier<T> question) {
            if (closed) {
                throw new NicClosedException("test");
            }
            return question.get();
        }

        private synchronized void close() {
            closed = true;
            led.close();
        }

        private synchronized int ledctl() {
            return bar.peek(LEDCTL);
        }
    }

    @BeforeEach
    void lightUp() {
        bar.put(LEDCTL, BEFORE);
    }

    /** In a thread that may wait long: those of the common pool are few, and other tests need them. */
    private static void onItsOwn(Runnable task) {
        Thread.ofPlatform().daemon().start(task);
    }

    private CompletableFuture<Void> blink(Duration time) {
        CompletableFuture<Void> blinking = CompletableFuture.runAsync(() -> led.blink(time), IgbPortLedTest::onItsOwn);
        assertThat(BoundedWait.until(() -> nic.ledctl() == MEANWHILE, PATIENCE)).isTrue();
        return blinking;
    }

    private static void get(CompletableFuture<Void> blinking) throws Exception {
        blinking.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void blinksForItsTime() {
        led.blink(Duration.ofMillis(1));
        assertThat(bar.writes)
                .containsExactly(new RecordingBar.Write("LEDCTL", MEANWHILE), new RecordingBar.Write("LEDCTL", BEFORE));
    }

    @Test
    void endsWhatAnotherThreadHasBegun() throws Exception {
        CompletableFuture<Void> first = blink(EVER);
        led.blink(Duration.ZERO);
        get(first);
        assertThat(nic.ledctl()).isEqualTo(BEFORE);
    }

    @Test
    void goesOnForTheLatestCall() throws Exception {
        CompletableFuture<Void> first = blink(EVER);
        CompletableFuture<Void> second = CompletableFuture.runAsync(() -> led.blink(EVER), IgbPortLedTest::onItsOwn);
        get(first);
        assertThat(nic.ledctl()).isEqualTo(MEANWHILE);
        led.blink(Duration.ZERO);
        get(second);
        assertThat(nic.ledctl()).isEqualTo(BEFORE);
    }

    @Test
    void endsWhenItsThreadIsInterrupted() {
        Thread.currentThread().interrupt();
        led.blink(EVER);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(nic.ledctl()).isEqualTo(BEFORE);
    }

    @Test
    void isRestoredWhenTheNicIsClosed() {
        CompletableFuture<Void> blinking = blink(EVER);
        nic.close();
        assertThat(nic.ledctl()).isEqualTo(BEFORE);
        assertThatThrownBy(() -> get(blinking))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> led.blink(EVER)).isInstanceOf(NicClosedException.class);
    }

    @Test
    void refusesTimeThatRunsBackwards() {
        assertThatThrownBy(() -> led.blink(Duration.ofSeconds(-1)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("test cannot blink for PT-1S");
        assertThat(bar.writes).isEmpty();
    }
}
