package io.doorbell.igb.clock;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.RxStamp;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RecordingBar.Write;
import io.doorbell.igb.spec.RegisterFile;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the clock of each model is told, and what its registers mean; QEMU has that of the 82576 only. */
class IgbClockTest {

    private static final long START = 1_700_000_000_123_456_789L;
    private static final long SECOND = 1_000_000_000;

    private final RecordingBar bar = new RecordingBar();
    private long system = -5 * SECOND; // as System.nanoTime, it starts anywhere

    private IgbClock clock(IgbModel model) {
        IgbClock clock = new IgbClock(new RegisterFile("igb 0", bar), model, START, () -> system);
        clock.start();
        return clock;
    }

    /** Has the device's clock show this, and the system's go on by so much. */
    private void after(Duration time, int high, int low) {
        bar.put(SYSTIMH, high);
        bar.put(SYSTIML, low);
        system += time.toNanos();
    }

    private void count(IgbModel model, Duration time, long nanoseconds) {
        long bits = model.equals(IgbModel.I82576) ? nanoseconds << 19 : nanoseconds & 0xff_ffff_ffffL;
        after(time, (int) (bits >>> 32), (int) bits);
    }

    /** As igb_ptp.c of Linux has them. */
    @ParameterizedTest
    @CsvSource({
        "I82576, 0, 0x1800000",
        "I82576, 999999880, 0x1ffffff",
        "I82576, -999999880, 0x1000001",
        "I82576, 1000, 0x1800008",
        "I82576, -60, 0x17fffff",
        "I82580, 0, 0",
        "I350, 62499999, 0x7fffffde",
        "I354, -1, 0x80000022",
        "I210, 1000, 0x8638",
        "I211, -62499999, 0xffffffde"
    })
    void goesAtARate(IgbModel model, int partsPerBillion, String increment) {
        IgbClock clock = clock(model);
        clock.rate(partsPerBillion);
        assertThat(bar.peek(TIMINCA)).isEqualTo(Long.decode(increment).intValue());
        assertThat(clock.rate()).isCloseTo(partsPerBillion, within(model.equals(IgbModel.I82576) ? 60.0 : 0.02));
        clock.stop();
        bar.put(TIMINCA, 0);
        clock.start();
        assertThat(bar.peek(TIMINCA))
                .as("after a reset")
                .isEqualTo(Long.decode(increment).intValue());
    }

    @ParameterizedTest
    @EnumSource
    void refusesRatesBeyondItsRange(IgbModel model) {
        IgbClock clock = clock(model);
        double most = clock.largestRate();
        for (double bad : new double[] {most + 1, -most - 1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> clock.rate(bad))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("up to " + (int) most + " parts per billion faster or slower, not " + bad);
        }
        assertThat(clock.rate()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"I82576, false", "I82580, true", "I350, true", "I354, true", "I210, true", "I211, true"})
    void isSwitchedOnWhereItCanBeOff(IgbModel model, boolean can) {
        bar.put(TSAUXC, 1 << 31);
        clock(model);
        assertThat(bar.peek(TSAUXC)).isEqualTo(can ? 0 : 1 << 31);
        assertThat(new RegisterFile("igb 0", bar).dump(model))
                .filteredOn(register ->
                        register.name().equals("SYSTIMR") || register.name().equals("TSAUXC"))
                .hasSize(can ? 2 : 0);
    }

    @ParameterizedTest
    @EnumSource(names = {"I82576", "I82580", "I350", "I354"})
    void hasASoftwareTimeWhereTheDeviceTakesNone(IgbModel model) {
        count(model, Duration.ZERO, 77 * SECOND);
        IgbClock clock = clock(model);
        assertThat(clock.time()).isEqualTo(START);
        count(model, Duration.ofSeconds(2), 79 * SECOND + 5);
        assertThat(clock.time()).isEqualTo(START + 2 * SECOND + 5);
        clock.step(-3 * SECOND);
        assertThat(clock.time()).isEqualTo(START - SECOND + 5);
        clock.time(42);
        count(model, Duration.ofSeconds(1), 80 * SECOND + 5);
        assertThat(clock.time()).isEqualTo(42 + SECOND);
        assertThat(bar.writes).extracting(Write::register).doesNotContain("SYSTIML", "SYSTIMH");
    }

    /** 2^40 ns are 18.3 minutes, and 2^45 ns are 9.77 hours. */
    @ParameterizedTest
    @CsvSource({"I82576, 400", "I82580, 12", "I350, 12"})
    void goesOnWhenTheDevicesStartsAnewHoweverOftenThatWas(IgbModel model, int hours) {
        IgbClock clock = clock(model);
        for (int days = 0; days < 3; days++) {
            long before = clock.time();
            Duration time = Duration.ofHours(hours);
            long passed = time.toNanos() + 7 * SECOND; // the two do not go alike
            long now = before - START + passed;
            count(model, time, now);
            assertThat(clock.time()).isEqualTo(before + passed);
        }
    }

    @Test
    void knowsHowFarItMustHaveComeAtItsRate() {
        IgbClock clock = clock(IgbModel.I82580);
        clock.rate(-62_000_000);
        // 12 hours, of which it has lost more than it holds.
        long passed = Math.round(Duration.ofHours(12).toNanos() * 0.938);
        count(IgbModel.I82580, Duration.ofHours(12), passed);
        assertThat(clock.time()).isEqualTo(START + passed);
    }

    @ParameterizedTest
    @EnumSource(names = {"I210", "I211"})
    void setsTheSecondsAndNanosecondsOfTheI210(IgbModel model) {
        IgbClock clock = clock(model);
        assertThat(bar.writes)
                .containsSubsequence(new Write("SYSTIML", 123_456_789), new Write("SYSTIMH", 1_700_000_000));
        after(Duration.ofSeconds(1), 1_700_000_001, 123_456_790);
        assertThat(clock.time()).isEqualTo(START + SECOND + 1);
        clock.step(900_000_000);
        assertThat(bar.peek(SYSTIMH)).isEqualTo(1_700_000_002);
        assertThat(bar.peek(SYSTIML)).isEqualTo(23_456_790);
        clock.time(3_000_000_000L * SECOND);
        assertThat(clock.time()).isEqualTo(3_000_000_000L * SECOND);
        assertThatThrownBy(() -> clock.time((1L << 32) * SECOND))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("shows 0 to 4294967295999999999 ns");
    }

    @ParameterizedTest
    @EnumSource
    void refusesTimesThatItCannotShow(IgbModel model) {
        IgbClock clock = clock(model);
        assertThatThrownBy(() -> clock.time(-1))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("igb 0: a time of -1 ns is not to be had");
        assertThatThrownBy(() -> clock.step(-START - SECOND))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("igb 0: a step of -1700000001123456789 ns to -1000000000 ns is not to be had");
        assertThatThrownBy(() -> clock.step(Long.MAX_VALUE))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("step it by less");
        assertThat(clock.time()).isEqualTo(START);
    }

    @ParameterizedTest
    @EnumSource
    void isKeptByTheSystemsWhileItIsStopped(IgbModel model) {
        IgbClock clock = clock(model);
        clock.rate(10_000_000);
        clock.hold();
        clock.stop();
        bar.gone = true;
        system += 100 * SECOND;
        assertThat(clock.time()).isCloseTo(START + 101 * SECOND, within(10_000L));
        clock.step(SECOND);
        assertThat(clock.takeRxStamp()).isEmpty();
        assertThat(clock.takeTxStamp()).isEmpty();
        bar.gone = false;
        count(model, Duration.ofSeconds(100), 12);
        clock.start();
        assertThat(clock.time()).isCloseTo(START + 203 * SECOND, within(20_000L));
    }

    @ParameterizedTest
    @EnumSource
    void stampsMessagesOfPtpInItsRegisters(IgbModel model) {
        IgbClock clock = clock(model);
        assertThat(bar.peek(TSYNCTXCTL)).isEqualTo(0x10);
        assertThat(bar.writes).extracting(Write::register).doesNotContain("TSYNCRXCFG");
        bar.writes.clear();

        clock.filter(StampFilter.PTP_V2_EVENT);
        boolean comparesSource = model.equals(IgbModel.I82576);
        String ethernet = model.etherTypeFilters() == 4 ? "ETQF[3]" : "ETQF[7]";
        assertThat(bar.writes)
                .contains(
                        new Write(ethernet, 0x440088f7),
                        new Write("IMIR[7]", 0x3f01),
                        new Write("IMIREXT[7]", 0x81000),
                        new Write("FTQF[7]", comparesSource ? 0x68008011 : 0xe8008011))
                .endsWith(new Write("TSYNCRXCTL", 0x1a));
        assertThat(bar.writes.contains(new Write("SPQF[7]", 0x3f01))).isEqualTo(comparesSource);

        clock.filter(StampFilter.PTP_V1_L4_DELAY_REQ);
        assertThat(bar.writes)
                .contains(new Write("TSYNCRXCFG", 1), new Write(ethernet, 0))
                .endsWith(new Write("TSYNCRXCTL", 0x12));
        clock.filter(StampFilter.PTP_V1_L4_SYNC);
        assertThat(bar.peek(TSYNCRXCFG)).isZero();

        bar.writes.clear();
        clock.filter(StampFilter.NONE);
        clock.filter(StampFilter.NONE);
        assertThat(bar.writes)
                .containsExactly(
                        new Write("TSYNCRXCTL", 0),
                        new Write(ethernet, 0),
                        new Write("FTQF[7]", 0xf0008000),
                        new Write("TSYNCRXCTL", 0));
    }

    @Test
    void stampsAgainAfterAReset() {
        IgbClock clock = clock(IgbModel.I82580);
        clock.filter(StampFilter.PTP_V2_EVENT);
        clock.stop();
        clock.filter(StampFilter.PTP_V1_L4_SYNC);
        bar.writes.clear();
        clock.start();
        assertThat(bar.writes).endsWith(new Write("TSYNCRXCTL", 0x12));
        assertThat(clock.filter()).isEqualTo(StampFilter.PTP_V1_L4_SYNC);
    }

    @Test
    void extendsStampsAsTheClock() {
        count(IgbModel.I350, Duration.ZERO, 0xff_ffff_0000L);
        IgbClock clock = clock(IgbModel.I350);
        bar.put(TSYNCTXCTL, 0x11);
        bar.put(TXSTMPL, 0xffff_ff00);
        bar.put(TXSTMPH, 0xff);
        count(IgbModel.I350, Duration.ofSeconds(1), SECOND); // the stamp is from before the counter's start
        assertThat(clock.takeTxStamp()).hasValue(START + 0xff00);

        IgbClock seconds = clock(IgbModel.I210);
        bar.put(TSYNCTXCTL, 0x11);
        bar.put(TXSTMPH, 1_700_000_000);
        bar.put(TXSTMPL, 500_000_000);
        assertThat(seconds.takeTxStamp()).hasValue(1_700_000_000_500_000_000L);
    }

    @Test
    void tellsWhoseStampItIs() {
        IgbClock clock = clock(IgbModel.I82576);
        bar.put(TSYNCRXCTL, 0x1b);
        bar.put(RXSTMPH, 1 << 13);
        bar.put(RXSATRL, 0x44332211);
        bar.put(RXSATRH, 0xcdab6655);
        count(IgbModel.I82576, Duration.ofSeconds(1), 1 << 27);
        assertThat(clock.takeRxStamp()).contains(new RxStamp(START + (1 << 26), 0x112233445566L, 0xabcd));
        bar.put(TSYNCRXCTL, 0x1a);
        assertThat(clock.takeRxStamp()).isEmpty();
    }

    @Test
    void offersAllFilters() {
        assertThat(clock(IgbModel.I82576).filters()).containsExactlyInAnyOrder(StampFilter.values());
    }
}
