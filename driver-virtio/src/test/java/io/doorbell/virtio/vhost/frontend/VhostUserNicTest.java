package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.event.EventRecording;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.virtio.queue.NicEnd;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Front-end and back-end, both ours, over one socket. */
public class VhostUserNicTest {

    public static final Duration SOON = Duration.ofSeconds(20);

    private static final long FRAMES = 3000;
    private static final long HERE = 0x02_00_00_00_00_01L;
    private static final long THERE = 0x02_00_00_00_00_02L;

    @TempDir
    private Path dir;

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    private Nic backEnd(NicConfig config) {
        return Nic.open("vhost-user-backend:" + path(), config);
    }

    private Nic frontEnd(NicConfig config) {
        return Nic.open("vhost-user:" + path(), config);
    }

    private static NumberedExchange exchange(boolean here, long frames) {
        return new NumberedExchange(here ? THERE : HERE, here ? HERE : THERE, frames, frames, 64);
    }

    private static void exchange(Nic one, int oneQueue, Nic two, int twoQueue, long frames) {
        try (NicEnd here = new NicEnd(one, oneQueue, exchange(true, frames));
                NicEnd there = new NicEnd(two, twoQueue, exchange(false, frames))) {
            NicEnd.run(here, there);
            for (NicEnd end : new NicEnd[] {here, there}) {
                assertThat(end.counts()).isEqualTo(new NumberedExchange.Counts(frames, frames, frames, 0, 0, 0, 0));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "VIRTIO_F_IN_ORDER",
                "VIRTIO_F_EVENT_IDX",
                "VIRTIO_F_RING_PACKED",
                "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER",
                "VIRTIO_F_RING_PACKED VIRTIO_F_EVENT_IDX",
                "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER VIRTIO_F_EVENT_IDX VIRTIO_NET_F_MRG_RXBUF"
            })
    void exchangesFramesWhateverIsAgreedOn(String without) {
        NicConfig config =
                without.isEmpty() ? NicConfig.defaults() : NicConfig.defaults().withoutFeatures(without.split(" "));
        try (Nic back = backEnd(NicConfig.defaults());
                Nic front = frontEnd(config)) {
            assertThat(front.awaitLink(SOON).up()).isTrue();
            assertThat(back.awaitLink(SOON).up()).isTrue();
            assertThat(front.model()).endsWith(without.contains("PACKED") ? "split rings" : "packed rings");
            exchange(front, 0, back, 0, FRAMES);
            assertThat(front.statistics().txFrames())
                    .isEqualTo(back.statistics().rxFrames())
                    .isGreaterThanOrEqualTo(FRAMES);
            assertThat(front.statistics().rxFrames())
                    .isEqualTo(back.statistics().txFrames())
                    .isGreaterThanOrEqualTo(FRAMES);
            assertThat(back.statistics().rxErrors()).isZero();
        }
    }

    @Test
    void packedRingsOfAnySizeWork() {
        NicConfig odd = NicConfig.defaults().withRingSizes(67, 131);
        try (Nic back = backEnd(NicConfig.defaults());
                Nic front = frontEnd(odd)) {
            exchange(front, 0, back, 0, FRAMES);
        }
    }

    @Test
    void forwardsFromOnePoolThatBothNicsShare() {
        try (FramePool pool = FramePool.create(4096, FramePool.HEADROOM + 2048);
                Nic back = backEnd(NicConfig.defaults().withPool(pool));
                Nic front = frontEnd(NicConfig.defaults().withPool(pool))) {
            exchange(front, 0, back, 0, FRAMES);
        }
    }

    @Test
    void lackingBuffersTheBackEndLeavesFramesInTheRing() {
        try (FramePool pool = FramePool.create(4, FramePool.HEADROOM + 2048);
                Nic back = backEnd(NicConfig.defaults().withPool(pool));
                Nic front = frontEnd(NicConfig.defaults())) {
            front.awaitLink(SOON);
            FrameBatch batch = new FrameBatch(32);
            front.rxQueue(0).pool().allocate(batch, 10);
            for (int i = 0; i < 10; i++) {
                batch.frame(i).length(60);
                batch.frame(i).setInt(14, i);
            }
            assertThat(front.txQueue(0).send(batch)).isEqualTo(10);
            int seen = 0;
            while (seen < 10) {
                back.rxQueue(0).receive(batch);
                assertThat(batch.size()).isBetween(1, 4);
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(batch.frame(i).getInt(14)).isEqualTo(seen++);
                }
                batch.release();
            }
            assertThat(front.txQueue(0).reclaim()).isZero();
        }
    }

    @Test
    void aFrontEndComesBackByItselfWhenItsBackEndDoes() {
        NicConfig config = NicConfig.defaults();
        try (EventRecording recording = new EventRecording(dir);
                Nic front = openAfter(backEnd(config))) {
            waitFor(front, false);
            FrameBatch batch = new FrameBatch(4);
            front.rxQueue(0).pool().allocate(batch, 1);
            batch.frame(0).length(60);
            assertThat(front.txQueue(0).send(batch)).isZero();
            assertThat(front.rxQueue(0).receive(batch)).isZero();
            batch.release();
            try (Nic again = backEnd(config)) {
                waitFor(front, true);
                again.awaitLink(SOON);
                exchange(front, 0, again, 0, FRAMES);
                assertThat(front.statistics().details()).containsEntry("reconnects", 1L);
            }
            List<RecordedEvent> events = recording.read().stream()
                    .filter(event -> event.getString("nic").equals(front.name()))
                    .toList();
            RecordedEvent down = EventRecording.only("LinkChange", events).get(1);
            assertThat(down.getBoolean("up")).isFalse();
            assertThat(EventRecording.only("Reconnect", events)).singleElement().satisfies(reconnect -> {
                assertThat(reconnect.getLong("reconnects")).isOne();
                assertThat(reconnect.getDuration()).isPositive();
                assertThat(reconnect.getEndTime()).isAfter(down.getStartTime());
            });
        }
    }

    /** A front-end whose back-end has gone since. */
    private Nic openAfter(Nic back) {
        try (back) {
            Nic front = frontEnd(NicConfig.defaults());
            back.awaitLink(SOON);
            return front;
        }
    }

    public static void waitFor(Nic nic, boolean up) {
        assertThat(BoundedWait.until(() -> nic.linkState().up() == up, SOON))
                .as(up ? "link up" : "link down")
                .isTrue();
    }

    @Test
    void whatHadArrivedIsStillReceivedAndWhatWasOnItsWayIsCounted() {
        int buffers;
        try (Nic back = backEnd(NicConfig.defaults());
                Nic front = frontEnd(NicConfig.defaults())) {
            back.awaitLink(SOON);
            buffers = front.rxQueue(0).pool().available();
            FrameBatch batch = new FrameBatch(128);
            back.rxQueue(0).pool().allocate(batch, 100);
            for (int i = 0; i < 100; i++) {
                batch.frame(i).length(60 + i);
            }
            assertThat(back.txQueue(0).send(batch)).isEqualTo(100);
            front.rxQueue(0).pool().allocate(batch, 50);
            for (int i = 0; i < 50; i++) {
                batch.frame(i).length(60);
            }
            assertThat(front.txQueue(0).send(batch)).isEqualTo(50);
            back.stop();

            waitFor(front, false);
            FrameBatch received = new FrameBatch(128);
            assertThat(BoundedWait.until(
                            () -> {
                                front.rxQueue(0).receive(received);
                                return received.size() == 100;
                            },
                            SOON))
                    .isTrue();
            for (int i = 0; i < 100; i++) {
                assertThat(received.frame(i).length()).isEqualTo(60 + i);
            }
            received.release();
            assertThat(front.statistics().txErrors()).isEqualTo(50);
            assertThat(front.statistics().txFrames()).isZero();
            assertThat(front.statistics().txBytes()).isZero();
            assertThat(front.rxQueue(0).pool().available())
                    .isEqualTo(front.rxQueue(0).pool().buffers())
                    .isGreaterThan(buffers);
        }
    }

    @Test
    void stopsAndStartsOnEitherSide() {
        try (Nic back = backEnd(NicConfig.defaults());
                Nic front = frontEnd(NicConfig.defaults())) {
            exchange(front, 0, back, 0, 100);
            front.stop();
            assertThatThrownBy(() -> front.rxQueue(0).receive(new FrameBatch(1)))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(back.linkState()).isEqualTo(LinkState.DOWN);
            assertThat(back.rxQueue(0).receive(new FrameBatch(1))).isZero();
            front.start();
            back.awaitLink(SOON);
            exchange(front, 0, back, 0, 100);

            back.stop();
            assertThatThrownBy(() -> back.rxQueue(0).receive(new FrameBatch(1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is stopped");
            waitFor(front, false);
            back.start();
            waitFor(front, true);
            exchange(front, 0, back, 0, 100);
        }
    }

    @Test
    void setsUpQueuesAnewOnEitherSide() {
        try (Nic back = backEnd(NicConfig.defaults());
                Nic front = frontEnd(NicConfig.defaults())) {
            exchange(front, 0, back, 0, 100);
            front.ability(QueueReset.class).resetRxQueue(0);
            exchange(front, 0, back, 0, 100);
            front.ability(QueueReset.class).resetTxQueue(0);
            exchange(front, 0, back, 0, 100);
            front.reset();
            back.awaitLink(SOON);
            exchange(front, 0, back, 0, 100);
            front.stop();
            front.reset();
            back.awaitLink(SOON);
            exchange(front, 0, back, 0, 100);
            back.reset();
            assertThat(BoundedWait.until(() -> front.statistics().details().get("reconnects") == 1, SOON))
                    .isTrue();
            back.awaitLink(SOON);
            exchange(front, 0, back, 0, 100);
            FramePool pool = front.rxQueue(0).pool();
            front.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
        }
    }

    @Test
    void aFrontEndThatIsResetWithoutABackEndWaitsForOne() {
        try (Nic front = openAfter(backEnd(NicConfig.defaults()))) {
            waitFor(front, false);
            front.ability(QueueReset.class).resetRxQueue(0);
            front.ability(QueueReset.class).resetTxQueue(0);
            front.reset();
            assertThat(front.rxQueue(0).receive(new FrameBatch(1))).isZero();
            try (Nic again = backEnd(NicConfig.defaults())) {
                waitFor(front, true);
                exchange(front, 0, again, 0, 100);
            }
        }
    }

    @Test
    void aStoppedFrontEndMayBeStartedWhileThereIsNoBackEnd() {
        try (Nic front = openAfter(backEnd(NicConfig.defaults()))) {
            waitFor(front, false);
            front.stop();
            front.start();
            assertThat(front.rxQueue(0).receive(new FrameBatch(1))).isZero();
            try (Nic again = backEnd(NicConfig.defaults())) {
                waitFor(front, true);
                exchange(front, 0, again, 0, 100);
            }
        }
    }

    @Test
    void servesOneFrontEndAfterAnother() {
        try (Nic back = backEnd(NicConfig.defaults())) {
            for (int i = 0; i < 3; i++) {
                try (Nic front = frontEnd(NicConfig.defaults())) {
                    back.awaitLink(SOON);
                    exchange(front, 0, back, 0, 100);
                }
                waitFor(back, false);
            }
            assertThat(back.statistics().details()).containsEntry("sessions", 3L);
        }
    }

    @Test
    void refusesFeaturesThatItDoesNotKnowOrCannotDoWithout() {
        assertThatThrownBy(() -> backEnd(NicConfig.defaults().withoutFeatures("VIRTIO_F_VERSION_1")))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_F_VERSION_1");
    }
}
