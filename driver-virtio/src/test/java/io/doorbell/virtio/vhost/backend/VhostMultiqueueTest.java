package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Rss;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.virtio.queue.NicEnd;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several queues in each direction between a front-end and a back-end, both ours. */
class VhostMultiqueueTest {

    private static final long FRAMES = 2000;
    private static final long HERE = 0x02_00_00_00_00_01L;
    private static final long THERE = 0x02_00_00_00_00_02L;
    private static final NicConfig TWO = NicConfig.defaults().withQueues(2);

    @TempDir
    private Path dir;

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    private Nic backEnd(int queues, NicConfig config) {
        return Nic.open("vhost-user-backend:" + path() + ",queues=" + queues, config);
    }

    private Nic frontEnd(NicConfig config) {
        return Nic.open("vhost-user:" + path(), config);
    }

    /** Exchanges frames over all pairs of {@code front} at once, each pair polled by a thread of its own. */
    private static void exchangeOnAllQueues(Nic front, Nic back) throws InterruptedException, ExecutionException {
        List<Future<?>> done = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(front.queues())) {
            for (int pair = 0; pair < front.queues(); pair++) {
                int queue = pair;
                done.add(threads.submit(() -> exchange(front, back, queue)));
            }
            for (Future<?> each : done) {
                each.get();
            }
        }
    }

    private static void exchange(Nic front, Nic back, int queue) {
        try (NicEnd here = new NicEnd(front, queue, new NumberedExchange(THERE, HERE, FRAMES, FRAMES, 64));
                NicEnd there = new NicEnd(back, queue, new NumberedExchange(HERE, THERE, FRAMES, FRAMES, 64))) {
            NicEnd.run(here, there);
            NumberedExchange.Counts all = new NumberedExchange.Counts(FRAMES, FRAMES, FRAMES, 0, 0, 0, 0);
            assertThat(here.counts()).isEqualTo(all);
            assertThat(there.counts()).isEqualTo(all);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"VIRTIO_NET_F_GUEST_ANNOUNCE", "VIRTIO_F_RING_PACKED", "VIRTIO_F_IN_ORDER"})
    void exchangesFramesOnEachPairByItself(String without) throws InterruptedException, ExecutionException {
        try (Nic back = backEnd(2, NicConfig.defaults());
                Nic front = frontEnd(TWO.withoutFeatures(without))) {
            assertThat(front.queues()).isEqualTo(2);
            assertThat(back.queues()).isEqualTo(2);
            back.awaitLink(VhostUserNicTest.SOON);
            exchangeOnAllQueues(front, back);
            NicStatistics counted = front.statistics();
            assertThat(counted.rxFrames())
                    .isEqualTo(counted.details().get("rx[0].frames")
                            + counted.details().get("rx[1].frames"))
                    .isEqualTo(back.statistics().txFrames());
            assertThat(counted.details().get("rx[1].frames")).isGreaterThanOrEqualTo(FRAMES);
            assertThat(counted.details().get("tx[1].frames")).isGreaterThanOrEqualTo(FRAMES);
        }
    }

    @Test
    void usesAsManyQueuesAsWereAskedForAndLeavesTheOthers() throws InterruptedException, ExecutionException {
        try (Nic back = backEnd(3, NicConfig.defaults());
                Nic front = frontEnd(TWO)) {
            back.awaitLink(VhostUserNicTest.SOON);
            exchangeOnAllQueues(front, back);
            assertThat(back.rxQueue(2).receive(new FrameBatch(1))).isZero();
            assertThatThrownBy(() -> front.rxQueue(2))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("has 2 receive queues")
                    .hasMessageContaining("withQueues");
        }
    }

    /** Eight pairs' pools and rings fit into the eight pieces of memory that a back-end can be sure to take. */
    @Test
    void sharesAsManyPiecesOfMemoryWithEightPairsAsWithOne() throws InterruptedException, ExecutionException {
        NicConfig small = NicConfig.defaults().withRingSizes(64, 64);
        try (Nic back = backEnd(8, small);
                Nic front = frontEnd(small.withQueues(8))) {
            back.awaitLink(VhostUserNicTest.SOON);
            assertThat(front.ability(RegisterDump.class).registers()).anySatisfy(register -> {
                assertThat(register.name()).isEqualTo("memory_regions");
                assertThat(register.value().orElse(-1)).isBetween(1, 3);
            });
            exchange(front, back, 7);
        }
    }

    @Test
    void eachPairHasAPoolOfItsOwnUnlessTheApplicationBringsOne() {
        try (Nic back = backEnd(2, NicConfig.defaults());
                Nic front = frontEnd(TWO)) {
            assertThat(front.rxQueue(0).pool()).isNotSameAs(front.rxQueue(1).pool());
            assertThat(back.queues()).isEqualTo(2);
        }
        try (FramePool pool = FramePool.create(4096, FramePool.HEADROOM + 2048);
                Nic back = backEnd(2, NicConfig.defaults());
                Nic front = frontEnd(TWO.withPool(pool))) {
            assertThat(front.rxQueue(0).pool())
                    .isSameAs(front.rxQueue(1).pool())
                    .isSameAs(pool);
            assertThat(back.queues()).isEqualTo(2);
        }
    }

    @Test
    void returnsEachBufferToItsOwnPoolWhicheverQueueSentIt() {
        try (Nic back = backEnd(2, NicConfig.defaults());
                Nic front = frontEnd(TWO)) {
            back.awaitLink(VhostUserNicTest.SOON);
            FramePool first = front.rxQueue(0).pool();
            FramePool second = front.rxQueue(1).pool();
            int firstBefore = first.available();
            int secondBefore = second.available();
            FrameBatch batch = new FrameBatch(32);
            first.allocate(batch, 10);
            second.allocate(batch, 12);
            for (int i = 0; i < batch.size(); i++) {
                batch.frame(i).length(60);
            }
            assertThat(front.txQueue(1).send(batch)).isEqualTo(22);
            FrameBatch received = new FrameBatch(32);
            assertThat(back.rxQueue(1).receive(received)).isEqualTo(22);
            received.release();
            assertThat(BoundedWait.until(() -> front.txQueue(1).reclaim() == 0, VhostUserNicTest.SOON))
                    .isTrue();
            assertThat(first.available()).isEqualTo(firstBefore);
            assertThat(second.available()).isEqualTo(secondBefore);
        }
    }

    @Test
    void allQueuesComeBackWithTheBackEnd() throws InterruptedException, ExecutionException {
        Nic gone = backEnd(2, NicConfig.defaults());
        try (Nic front = frontEnd(TWO)) {
            gone.awaitLink(VhostUserNicTest.SOON);
            FrameBatch batch = new FrameBatch(4);
            for (int pair = 0; pair < 2; pair++) {
                gone.rxQueue(0).pool().allocate(batch, 1);
                batch.frame(0).length(60 + pair);
                assertThat(gone.txQueue(pair).send(batch)).isEqualTo(1);
                front.rxQueue(pair).pool().allocate(batch, 2);
                batch.frame(0).length(60);
                batch.frame(1).length(60);
                assertThat(front.txQueue(pair).send(batch)).isEqualTo(2);
            }
            gone.close();
            VhostUserNicTest.waitFor(front, false);
            for (int pair = 0; pair < 2; pair++) {
                assertThat(front.rxQueue(pair).receive(batch)).isEqualTo(1);
                assertThat(batch.frame(0).length()).isEqualTo(60 + pair);
                batch.release();
            }
            assertThat(front.statistics().txErrors()).isEqualTo(4);
            try (Nic back = backEnd(2, NicConfig.defaults())) {
                VhostUserNicTest.waitFor(front, true);
                back.awaitLink(VhostUserNicTest.SOON);
                exchangeOnAllQueues(front, back);
            }
        } finally {
            gone.close();
        }
    }

    @Test
    void saysThatTheBackEndHasFewerQueuesThanAskedFor() {
        try (Nic back = backEnd(2, NicConfig.defaults())) {
            assertThat(back.queues()).isEqualTo(2);
            assertThatThrownBy(() -> frontEnd(NicConfig.defaults().withQueues(3)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("the device has 2 queues in each direction")
                    .hasMessageContaining("NicConfig.withQueues asks for 3")
                    .hasMessageContaining("vhost-user-backend:PATH,queues=3");
        }
    }

    @Test
    void saysThatTheBackEndHasOneQueueOnly() {
        try (Nic back = Nic.open("vhost-user-backend:" + path())) {
            assertThat(back.queues()).isEqualTo(1);
            assertThatThrownBy(() -> frontEnd(TWO))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("the device has 1 queue in each direction")
                    .hasMessageContaining("asks for 2");
        }
    }

    @Test
    void aBackEndTakesItsQueuesFromTheConfigurationToo() {
        try (Nic back = Nic.open("vhost-user-backend:" + path(), TWO)) {
            assertThat(back.queues()).isEqualTo(2);
        }
        assertThatThrownBy(() -> backEnd(2, NicConfig.defaults().withQueues(3)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("NicConfig.withQueues says 3")
                .hasMessageContaining(",queues=2");
    }

    @Test
    void saysThatABackEndDoesNotHash() {
        try (Nic back = backEnd(2, NicConfig.defaults())) {
            assertThat(back.queues()).isEqualTo(2);
            assertThatThrownBy(() -> frontEnd(TWO.withRss(Rss.over(2))))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VIRTIO_NET_F_RSS is not in use (the device does not offer it)");
        }
        assertThatThrownBy(() -> backEnd(2, NicConfig.defaults().withRss(Rss.over(2))))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("withRss");
    }
}
