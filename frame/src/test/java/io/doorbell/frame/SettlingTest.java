package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SettlingTest {

    private static final long ROUND = Duration.ofMillis(100).toNanos();

    private long now;
    private long compiled;
    private final Settling settling = new Settling(() -> now, () -> compiled, Duration.ofSeconds(1));

    private boolean anotherRound(long compiling) {
        now += ROUND;
        compiled += compiling;
        return settling.anotherRound();
    }

    @Test
    void goesOnWhileTheCompilersRun() {
        assertThat(anotherRound(ROUND / 2)).isTrue();
        assertThat(anotherRound(ROUND / 50)).isTrue();
        assertThat(settling.settled()).isFalse();
    }

    @Test
    void isSettledAfterARoundInWhichTheyRest() {
        assertThat(anotherRound(ROUND)).isTrue();
        assertThat(anotherRound(ROUND / 1000)).isFalse();
        assertThat(settling.settled()).isTrue();
        assertThat(settling.time()).isEqualTo(Duration.ofMillis(200));
    }

    @Test
    void endsUnsettledWhenTheTimeIsUp() {
        for (int round = 1; round < 10; round++) {
            assertThat(anotherRound(ROUND / 2)).isTrue();
        }
        assertThat(anotherRound(0)).isFalse();
        assertThat(settling.settled()).isFalse();
    }

    @Test
    void takesTheEndOfACompilerThreadForWork() {
        compiled = ROUND;
        assertThat(anotherRound(-ROUND / 2)).isTrue();
        assertThat(anotherRound(-ROUND / 4)).isTrue();
        assertThat(settling.settled()).isFalse();
    }
}
