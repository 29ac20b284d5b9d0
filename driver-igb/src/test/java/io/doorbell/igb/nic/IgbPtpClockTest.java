package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.RxStamp;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.qemu.qtest.QtestMachine;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The clock of QEMU's 82576, which is the system's monotonic clock multiplied by TIMINCA; and its stamps, of Sync messages of
 * version 2 over Ethernet.
 */
@Tag("qtest")
class IgbPtpClockTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final long SECOND = 1_000_000_000;
    private static final long SOURCE = 0x5e11_5e11_5e11L;
    private static final int SYNC = 0;
    private static final int MESSAGE = 14;

    private final QtestMachine machine = QtestMachine.builder().nic("igb").start();
    private final FrameBatch batch = new FrameBatch(8);
    private IgbNic nic;
    private PtpClock clock;

    @BeforeEach
    void open() {
        nic = IgbNic.open("igb 0", machine.open(0), IgbModel.I82576, NicConfig.defaults());
        nic.awaitLink(PATIENCE);
        nic.ability(MacFilter.class).allMulticast(true);
        clock = nic.ability(PtpClock.class);
    }

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    /**
     * A message whose source and sequence number are there twice, one behind the other: QEMU looks for them two bytes too late, as
     * its structure is not packed.
     */
    private static byte[] message(int type, int sequence) {
        ByteBuffer frame = ByteBuffer.allocate(60);
        frame.putShort((short) 0x011b)
                .putInt(0x19000000)
                .putShort((short) 0x5254)
                .putInt(1);
        frame.putShort((short) 0x88f7).put((byte) type).put((byte) 2).putShort((short) 44);
        frame.putLong(MESSAGE + 22, 0x5e11_5e11_5e11_5e11L);
        frame.putShort(MESSAGE + 30, (short) sequence).putShort(MESSAGE + 32, (short) sequence);
        return frame.array();
    }

    private Frame receive(byte[] bytes) {
        batch.release();
        machine.peer(0).send(bytes);
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                .isTrue();
        return batch.frame(0);
    }

    /** Between two looks, it went on at this rate; the system's clock says how far that may be. */
    private void goesAt(double rate) {
        long outer = System.nanoTime();
        long from = clock.time();
        long inner = System.nanoTime();
        BoundedWait.until(() -> false, Duration.ofMillis(300));
        long innerEnd = System.nanoTime();
        long to = clock.time();
        long outerEnd = System.nanoTime();
        assertThat((double) (to - from))
                .isBetween((innerEnd - inner) * rate * 0.999 - 1, (outerEnd - outer) * rate * 1.001 + 1);
    }

    @Test
    void startsWithTheSystemsTimeAndIsSetAndStepped() {
        long system = Instant.now().getEpochSecond();
        assertThat(clock.time() / SECOND).isCloseTo(system, within(60L));
        clock.time(5);
        assertThat(clock.time()).isBetween(5L, 60 * SECOND);
        long before = clock.time();
        clock.step(1000 * SECOND);
        assertThat(clock.time()).isBetween(before + 1000 * SECOND, before + 1060 * SECOND);
        clock.step(-1000 * SECOND);
        assertThat(clock.time()).isBetween(before, before + 60 * SECOND);
    }

    /** QEMU's clock jumps when its rate is changed, which silicon's does not: nothing is said of that here. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 900_000_000, -900_000_000})
    void goesFasterOrSlower(double rate) {
        clock.rate(rate);
        assertThat(clock.rate()).isCloseTo(rate, within(60.0));
        goesAt(1 + rate / 1e9);
        nic.reset();
        assertThat(clock.rate()).isCloseTo(rate, within(60.0));
        goesAt(1 + rate / 1e9);
    }

    @Test
    void goesOnThroughStopAndReset() {
        clock.time(1000 * SECOND);
        nic.reset();
        assertThat(clock.time()).isBetween(1000 * SECOND, 1060 * SECOND);
        nic.stop();
        long stopped = clock.time();
        assertThat(stopped).isBetween(1000 * SECOND, 1060 * SECOND);
        clock.step(500 * SECOND);
        nic.start();
        assertThat(clock.time()).isBetween(stopped + 500 * SECOND, stopped + 560 * SECOND);
    }

    @Test
    void stampsWhatArrives() {
        receive(message(SYNC, 1));
        assertThat(clock.takeRxStamp()).as("not asked for").isEmpty();
        clock.stampFilter(StampFilter.PTP_V2_EVENT);
        assertThat(clock.stampFilter()).isEqualTo(StampFilter.PTP_V2_EVENT);

        long before = clock.time();
        Frame frame = receive(message(SYNC, 0xfedc));
        RxStamp stamp = clock.takeRxStamp().orElseThrow();
        assertThat(stamp.time()).isBetween(before, clock.time());
        assertThat(stamp.source()).isEqualTo(SOURCE);
        assertThat(stamp.sequence()).isEqualTo(0xfedc);
        assertThat(stamp.isOf(frame, MESSAGE)).isTrue();
        assertThat(clock.takeRxStamp()).as("it was taken").isEmpty();
        assertThat(stamp.isOf(receive(message(SYNC, 0xfedd)), MESSAGE)).isFalse();

        assertThat(stamp.isOf(receive(message(SYNC, 7)), MESSAGE)).isFalse();
        assertThat(clock.takeRxStamp().map(RxStamp::sequence))
                .as("the first is kept")
                .contains(0xfedd);

        byte[] other = message(SYNC, 8);
        other[12] = 0x08; // another type
        receive(other);
        assertThat(clock.takeRxStamp()).isEmpty();
    }

    @Test
    void stampsAgainAfterAResetAndNotWhenItIsNotToAnyMore() {
        clock.stampFilter(StampFilter.PTP_V2_EVENT);
        nic.reset();
        nic.awaitLink(PATIENCE);
        receive(message(SYNC, 1));
        assertThat(clock.takeRxStamp().map(RxStamp::sequence)).contains(1);
        receive(message(SYNC, 2));
        clock.stampFilter(StampFilter.NONE);
        assertThat(clock.takeRxStamp()).as("of another filter").isEmpty();
        receive(message(SYNC, 3));
        assertThat(clock.takeRxStamp()).isEmpty();
        clock.stampFilter(StampFilter.PTP_V2_EVENT);
        assertThat(clock.takeRxStamp()).isEmpty();
    }

    @Test
    void stampsBesideRulesAndWhatTheyMatch() {
        FlowRules rules = nic.ability(FlowRules.class);
        clock.stampFilter(StampFilter.PTP_V2_EVENT);
        int rule = rules.add(FlowRule.parse("ethertype 0x88f7 to queue 0"));
        receive(message(SYNC, 1));
        assertThat(clock.takeRxStamp().map(RxStamp::sequence)).contains(1);
        nic.reset();
        nic.awaitLink(PATIENCE);
        rules.remove(rule);
        for (int i = 0; i < 7; i++) {
            rules.add(FlowRule.parse("ethertype 0x900" + i + " to queue 0"));
        }
        receive(message(SYNC, 2));
        assertThat(clock.takeRxStamp().map(RxStamp::sequence)).contains(2);
    }

    private void send(boolean stamped) {
        batch.release();
        nic.rxQueue(0).pool().allocate(batch, 1);
        batch.frame(0).copyFrom(message(SYNC, 9));
        if (stamped) {
            batch.frame(0).needsTimeStamp();
        }
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
        assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(message(SYNC, 9));
    }

    @Test
    void stampsWhatLeavesAndAsksForIt() {
        send(false);
        assertThat(clock.takeTxStamp()).isEmpty();
        long before = clock.time();
        send(true);
        long between = clock.time();
        send(true);
        OptionalLong stamp = clock.takeTxStamp();
        assertThat(stamp.orElseThrow()).as("the first is kept").isBetween(before, between);
        assertThat(clock.takeTxStamp()).isEmpty();
        send(true);
        assertThat(clock.takeTxStamp().orElseThrow()).isBetween(between, clock.time());
    }

    @Test
    void showsItsRegisters() {
        clock.stampFilter(StampFilter.PTP_V2_EVENT);
        assertThat(nic.registerFile().dump(IgbModel.I82576))
                .anySatisfy(register -> assertThat(register.decoded()).isEqualTo("TYPE=5 EN"));
        assertThat(nic.registerFile().read(IgbRegisters.TIMINCA)).isEqualTo(0x1800000);
    }
}
