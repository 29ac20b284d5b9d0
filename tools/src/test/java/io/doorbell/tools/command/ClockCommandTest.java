package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.RxStamp;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClockCommandTest {

    private static final Duration SHORT = Duration.ofMillis(20);

    private final CapturedConsole console = new CapturedConsole();
    private final Context context = Context.ofProcess(console.console());
    private final Clock clock = new Clock();

    /** The system's monotonic clock, running half as fast again, from 1970 on. */
    private static final class Clock implements PtpClock {

        private final long start = System.nanoTime();
        private long offset;

        @Override
        public long time() {
            return Math.round((System.nanoTime() - start) * 1.5) + offset;
        }

        @Override
        public void time(long nanoseconds) {
            offset += nanoseconds - time();
        }

        @Override
        public void step(long nanoseconds) {
            offset += nanoseconds;
        }

        @Override
        public double rate() {
            return 500_000_000;
        }

        @Override
        public void rate(double partsPerBillion) {
            throw new UnsupportedOperationException();
        }

        @Override
        public double largestRate() {
            return 999_999_880;
        }

        @Override
        public Set<StampFilter> stampFilters() {
            return Set.of(StampFilter.PTP_V2_EVENT, StampFilter.NONE);
        }

        @Override
        public StampFilter stampFilter() {
            return StampFilter.NONE;
        }

        @Override
        public void stampFilter(StampFilter filter) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<RxStamp> takeRxStamp() {
            return Optional.empty();
        }

        @Override
        public OptionalLong takeTxStamp() {
            return OptionalLong.empty();
        }
    }

    private static double number(Map<String, Object> object, String name) {
        return ((Number) object.get(name)).doubleValue();
    }

    @Test
    void showsTheClockAndHowItGoesBesideTheSystems() {
        ClockCommand.show(context, "0000:01:00.0", clock, SHORT, false, false);
        assertThat(console.out())
                .containsPattern("clock +\\d+ ns, 1970-01-01T00:0\\d:\\d\\d\\.\\d+Z")
                .containsPattern("beside the system's +\\d+ ns behind, to within \\d+ ns")
                .containsPattern("drift +\\+\\d+ ppb against the system's, to within \\d+ ppb")
                .containsPattern("rate +\\+500000000\\.000 ppb, of -999999880 to \\+999999880")
                .containsPattern("stamps received frames +NONE\n +PTP_V2_EVENT");
    }

    @Test
    void measuresTheDriftToWithinWhatItSays() {
        ClockCommand.show(context, "0000:01:00.0", clock, SHORT, false, true);
        Map<String, Object> object = Json.read(console.out());
        assertThat(object).containsEntry("address", "0000:01:00.0");
        assertThat(number(object, "driftPartsPerBillion"))
                .isCloseTo(500e6, within(1.5 * number(object, "driftErrorPartsPerBillion") + 1000));
        assertThat(object.get("stampFilters")).isEqualTo(List.of("NONE", "PTP_V2_EVENT"));
    }

    @Test
    void setsTheClockFromTheSystems() {
        ClockCommand.show(context, "0000:01:00.0", clock, SHORT, true, true);
        Map<String, Object> object = Json.read(console.out());
        assertThat(number(object, "nanoseconds") / 1e9).isCloseTo(Instant.now().getEpochSecond(), within(60.0));
        assertThat(Math.abs(number(object, "aheadOfSystemNanoseconds"))).isLessThan(60e9);
    }

    @Test
    void saysThatANicHasNone(@TempDir Path folder) {
        assertThat(NicCtl.run(context, List.of("clock", "vhost-user-backend:" + folder.resolve("socket"))))
                .isEqualTo(1);
        assertThat(console.err()).contains("has no PtpClock: ");
    }
}
