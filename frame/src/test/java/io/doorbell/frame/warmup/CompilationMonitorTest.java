package io.doorbell.frame.warmup;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class CompilationMonitorTest {

    private static final long ROUND = Duration.ofMillis(100).toNanos();

    private long now;
    private long compiled;
    private final CompilationMonitor monitor = new CompilationMonitor(() -> now, () -> compiled, Duration.ofSeconds(1));

    private boolean anotherRound(long compiling) {
        now += ROUND;
        compiled += compiling;
        return monitor.anotherRound();
    }

    @Test
    void goesOnWhileTheCompilersRun() {
        assertThat(anotherRound(ROUND / 2)).isTrue();
        assertThat(anotherRound(ROUND / 50)).isTrue();
        assertThat(monitor.settled()).isFalse();
    }

    @Test
    void isSettledAfterARoundInWhichTheyRest() {
        assertThat(anotherRound(ROUND)).isTrue();
        assertThat(anotherRound(ROUND / 1000)).isFalse();
        assertThat(monitor.settled()).isTrue();
        assertThat(monitor.time()).isEqualTo(Duration.ofMillis(200));
    }

    @Test
    void endsUnsettledWhenTheTimeIsUp() {
        for (int round = 1; round < 10; round++) {
            assertThat(anotherRound(ROUND / 2)).isTrue();
        }
        assertThat(anotherRound(0)).isFalse();
        assertThat(monitor.settled()).isFalse();
    }

    @Test
    void takesTheEndOfACompilerThreadForWork() {
        compiled = ROUND;
        assertThat(anotherRound(-ROUND / 2)).isTrue();
        assertThat(anotherRound(-ROUND / 4)).isTrue();
        assertThat(monitor.settled()).isFalse();
    }
}
