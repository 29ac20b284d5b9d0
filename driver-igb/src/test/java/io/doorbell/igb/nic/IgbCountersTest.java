package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.CounterReport;
import io.doorbell.frame.ability.CounterValue;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What QEMU's device and its driver count, and what they make of it. */
@Tag("qtest")
class IgbCountersTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int RING = 64;

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().start();
    private final FramePool pool = FramePool.in(machine.allocate(FramePool.bytesFor(2 * RING, 2112)), 2 * RING, 2112);
    private final IgbNic nic = IgbNic.open(
            "igb 0",
            machine.open(0),
            IgbModel.I82576,
            NicConfig.defaults().withRingSizes(RING, RING).withPool(pool));
    private final CounterReport report = nic.ability(CounterReport.class);
    private final FramePeer peer = machine.peer(0);
    private final FrameBatch batch = new FrameBatch(512);

    @AfterEach
    void stopMachine() {
        batch.release();
        nic.close();
        machine.close();
    }

    private void send(int frames) {
        byte[] frame = new byte[100];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        for (int i = 0; i < frames; i++) {
            peer.send(frame);
        }
        peer.flush();
    }

    private void receive(int frames) {
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(batch);
                            return batch.size() == frames;
                        },
                        PATIENCE))
                .isTrue();
    }

    private Map<String, Long> counters() {
        return report.counters().stream().collect(Collectors.toMap(CounterValue::name, CounterValue::value));
    }

    @Test
    void countsInTheDeviceAndInEachQueueAndSaysWhat() {
        nic.awaitLink(PATIENCE);
        send(10);
        receive(10);
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(10);
        assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                .isTrue();

        assertThat(counters())
                .containsEntry("GPRC", 10L)
                .containsEntry("BPRC", 10L)
                .containsEntry("GORC", 1040L)
                .containsEntry("GPTC", 10L)
                .containsEntry("rx[0].frames", 10L)
                .containsEntry("rx[0].bytes", 1000L)
                .containsEntry("rx[0].dropped", 0L)
                .containsEntry("tx[0].frames", 10L)
                .containsEntry("tx[0].bytes", 1000L)
                .containsEntry("tx[0].doorbells", 1L);
        assertThat(report.counters())
                .allSatisfy(counter ->
                        assertThat(counter.meaning()).as(counter.name()).isNotBlank());
        assertThat(report.losses()).isEmpty();
        assertThat(nic.statistics().details()).containsEntry("rx[0].frames", 10L);

        nic.reset();
        assertThat(counters()).containsEntry("GPRC", 10L).containsEntry("rx[0].frames", 10L);
    }

    @Test
    void countsNothingOfABatchThatItRefuses() {
        nic.awaitLink(PATIENCE);
        pool.allocate(batch, 2);
        batch.frame(0).length(100);
        batch.frame(1).length(100);
        batch.frame(1).vlanTag(5); // which it was not opened for
        assertThatThrownBy(() -> nic.txQueue(0).send(batch)).hasMessageContaining("cannot do for a frame");
        assertThat(counters()).containsEntry("tx[0].frames", 0L).containsEntry("tx[0].bytes", 0L);
    }

    /** QEMU's device keeps frames back as long as there is no descriptor, and loses none. */
    @Test
    void noticesThatTheApplicationKeepsAllFrames() {
        nic.awaitLink(PATIENCE);
        assertThat(BoundedWait.until(
                        () -> {
                            if (batch.size() < 2 * RING) {
                                send(1);
                            }
                            nic.rxQueue(0).receive(batch);
                            return counters().get("rx[0].starved") > 0;
                        },
                        PATIENCE))
                .isTrue();
        assertThat(pool.available()).isZero();
        assertThat(report.losses()).isEmpty();
    }
}
