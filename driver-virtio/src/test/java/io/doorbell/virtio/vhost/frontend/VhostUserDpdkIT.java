package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.qemu.link.NumberedFrames;
import io.doorbell.virtio.queue.NicEnd;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our front-end, judged by DPDK's back-end, which sends every frame back. */
@Tag("dpdk")
class VhostUserDpdkIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How long to wait for one frame, and how often to send another one. */
    private static final Duration PROBE = Duration.ofMillis(200);

    private static final int PROBES = 150;
    private static final int BEHIND_HEADER = 14;

    /** One address both ways: swapping them changes nothing, so a frame must come back as it went. */
    private static final long ADDRESS = 0x02_00_00_00_00_01L;

    private static final long FRAMES = 100_000;

    @TempDir
    private Path dir;

    @BeforeAll
    static void needsDpdk() {
        Testpmd.assumeInstalled();
    }

    private Path socket() {
        return dir.resolve("dpdk.sock");
    }

    private Testpmd testpmd(String mode) {
        return testpmd(mode, 1);
    }

    private Testpmd testpmd(String mode, int queues) {
        return Testpmd.start(dir, socket(), mode, "", queues);
    }

    private Nic open(Testpmd testpmd, NicConfig config) {
        Nic[] nic = {null};
        RuntimeException[] last = {null};
        boolean opened = BoundedWait.until(
                () -> {
                    try {
                        nic[0] = Nic.open("vhost-user:" + socket(), config);
                    } catch (RuntimeException e) {
                        last[0] = e;
                    }
                    return nic[0] != null || !testpmd.isAlive();
                },
                PATIENCE);
        if (nic[0] == null) {
            throw new AssertionError("opened: " + opened + "; testpmd printed:\n" + testpmd.log(), last[0]);
        }
        return nic[0];
    }

    @ParameterizedTest
    @CsvSource({
        "io, ",
        "macswap, ",
        "io, VIRTIO_F_IN_ORDER",
        "io, VIRTIO_NET_F_MRG_RXBUF",
        "io, VIRTIO_F_EVENT_IDX",
        "io, VIRTIO_F_RING_PACKED",
        "macswap, VIRTIO_F_RING_PACKED",
        "io, VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER",
        "io, VIRTIO_F_RING_PACKED VIRTIO_NET_F_MRG_RXBUF",
        "macswap, VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER VIRTIO_NET_F_MRG_RXBUF VIRTIO_F_EVENT_IDX",
    })
    void bouncesEveryFrameUnharmed(String mode, String without) {
        NicConfig config =
                without == null ? NicConfig.defaults() : NicConfig.defaults().withoutFeatures(without.split(" "));
        try (Testpmd testpmd = testpmd(mode);
                Nic nic = open(testpmd, config);
                NicEnd end = new NicEnd(nic, 0, new NumberedExchange(ADDRESS, ADDRESS, FRAMES, FRAMES, 128))) {
            NicEnd.run(end);
            assertThat(end.counts()).isEqualTo(new NumberedExchange.Counts(FRAMES, FRAMES, FRAMES, 0, 0, 0, 0));
            assertThat(nic.statistics().txErrors()).isZero();
        }
    }

    /** DPDK sends back each frame by the queue on which it came. */
    @ParameterizedTest
    @ValueSource(strings = {"VIRTIO_NET_F_GUEST_ANNOUNCE", "VIRTIO_F_RING_PACKED", "VIRTIO_F_IN_ORDER"})
    void bouncesFramesOfTwoQueuesOnEachByItself(String without) {
        NicConfig config = NicConfig.defaults().withQueues(2).withoutFeatures(without);
        try (Testpmd testpmd = testpmd("io", 2);
                Nic nic = open(testpmd, config);
                NicEnd first = new NicEnd(nic, 0, new NumberedExchange(ADDRESS, ADDRESS, FRAMES, FRAMES, 128));
                NicEnd second =
                        new NicEnd(nic, 1, new NumberedExchange(ADDRESS + 1, ADDRESS + 1, FRAMES, FRAMES, 128))) {
            NicEnd.run(first, second);
            NumberedExchange.Counts all = new NumberedExchange.Counts(FRAMES, FRAMES, FRAMES, 0, 0, 0, 0);
            assertThat(first.counts()).isEqualTo(all);
            assertThat(second.counts()).isEqualTo(all);
            assertThat(nic.statistics().txErrors()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void usesFewerQueuesThanTheBackEndHas(int queues) {
        try (Testpmd testpmd = testpmd("io", 3);
                Nic nic = open(testpmd, NicConfig.defaults().withQueues(queues));
                NicEnd last = new NicEnd(nic, queues - 1, new NumberedExchange(ADDRESS, ADDRESS, 1000, 1000, 128))) {
            NicEnd.run(last);
            assertThat(last.counts().received()).isEqualTo(1000);
        }
    }

    /** In several mbufs there, and in several buffers here. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "VIRTIO_NET_F_MTU", // packed, in order
                "VIRTIO_F_IN_ORDER",
                "VIRTIO_F_IN_ORDER VIRTIO_F_INDIRECT_DESC",
                "VIRTIO_F_INDIRECT_DESC",
                "VIRTIO_F_RING_PACKED",
                "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER",
                "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER VIRTIO_F_INDIRECT_DESC",
            })
    void bouncesJumboFramesUnharmed(String without) {
        NicConfig config =
                NicConfig.defaults().withReceiveOffloads(Offloads.MORE_SEGMENTS).withoutFeatures(without.split(" "));
        try (Testpmd testpmd = testpmd("io", 1);
                Nic nic = open(testpmd, config)) {
            nic.awaitLink(PATIENCE);
            FrameBatch out = new FrameBatch(64);
            FrameBatch in = new FrameBatch(64);
            for (int length = 1500; length < 9000; length += 13) {
                byte[] content = jumbo(length);
                add(nic, out, content);
                assertThat(BoundedWait.until(
                                () -> {
                                    nic.txQueue(0).send(out);
                                    nic.rxQueue(0).receive(in);
                                    return !in.isEmpty();
                                },
                                PATIENCE))
                        .as("a frame of %d bytes comes back; %s", length, testpmd.log())
                        .isTrue();
                assertThat(joined(in)).isEqualTo(content);
                in.release();
            }
            assertThat(nic.statistics().rxErrors()).isZero();
        }
    }

    private static byte[] jumbo(int length) {
        byte[] content = new byte[length];
        new Random(length).nextBytes(content);
        content[12] = (byte) 0x88;
        content[13] = (byte) 0xb5;
        return content;
    }

    private static void add(Nic nic, FrameBatch batch, byte[] content) {
        int slots = (content.length + 1999) / 2000;
        assertThat(nic.rxQueue(0).pool().allocate(batch, slots)).isEqualTo(slots);
        for (int i = 0; i < slots; i++) {
            batch.frame(i).copyFrom(Arrays.copyOfRange(content, i * 2000, Math.min(content.length, (i + 1) * 2000)));
        }
        batch.join(0, slots);
    }

    private static byte[] joined(FrameBatch batch) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < batch.slots(0); i++) {
            bytes.writeBytes(batch.frame(i).toByteArray());
        }
        return bytes.toByteArray();
    }

    /**
     * What testpmd holds when it is killed is lost without a trace: a burst of 32 for each queue that it has read and not
     * written, at most. What was in the ring it may have read, and even have sent back, before it could say so.
     */
    @ParameterizedTest
    @CsvSource({
        "1, VIRTIO_NET_F_GUEST_ANNOUNCE",
        "1, VIRTIO_F_RING_PACKED",
        "1, VIRTIO_F_IN_ORDER",
        "2, VIRTIO_NET_F_GUEST_ANNOUNCE",
        "2, VIRTIO_F_RING_PACKED"
    })
    void countsWhatIsLostWhenTheBackEndIsKilledAndGoesOnWhenItIsBack(int queues, String without) {
        int kills = 4;
        int burst = 32;
        NicConfig config = NicConfig.defaults().withQueues(queues).withoutFeatures(without);
        Testpmd testpmd = testpmd("io", queues);
        try (Nic nic = open(testpmd, config)) {
            Bouncers all = new Bouncers(nic);
            for (int i = 0; i < kills; i++) {
                all.runFor(20_000);
                testpmd.close();
                all.drain();
                testpmd = testpmd("io", queues);
            }
            all.runFor(20_000);
            all.settle();

            long counted = nic.statistics().txErrors();
            assertThat(all.lost()).isLessThanOrEqualTo(counted + (long) kills * burst * queues);
            assertThat(nic.statistics().details()).containsEntry("reconnects", (long) kills);
            nic.stop();
            for (int pair = 0; pair < queues; pair++) {
                FramePool pool = nic.rxQueue(pair).pool();
                assertThat(pool.available()).isEqualTo(pool.buffers());
            }
        } finally {
            testpmd.close();
        }
    }

    /** The other way round: our back-end, judged by DPDK's front-end, which sends every frame back. */
    @ParameterizedTest
    @CsvSource({"1, ''", "2, ''", "1, ',packed_vq=1'", "2, ',packed_vq=1'"})
    void servesAFrontEndOfDpdkOnEachPairByItself(int queues, String port) {
        Path socket = dir.resolve("doorbell.sock");
        try (Nic nic = Nic.open("vhost-user-backend:" + socket + ",queues=" + queues);
                Testpmd testpmd = Testpmd.startFrontEnd(dir, socket, "io", port, queues);
                NicEnd first = new NicEnd(nic, 0, new NumberedExchange(ADDRESS, ADDRESS, FRAMES, FRAMES, 128));
                NicEnd last = new NicEnd(
                        nic, queues - 1, new NumberedExchange(ADDRESS + 1, ADDRESS + 1, FRAMES, FRAMES, 128))) {
            NumberedExchange.Counts all = new NumberedExchange.Counts(FRAMES, FRAMES, FRAMES, 0, 0, 0, 0);
            nic.awaitLink(PATIENCE);
            for (int pair = 0; pair < queues; pair++) {
                awaitForwarding(nic, pair, testpmd);
            }
            NicEnd.run(first);
            assertThat(first.counts()).isEqualTo(all);
            if (queues > 1) {
                NicEnd.run(last);
                assertThat(last.counts()).isEqualTo(all);
            }
            assertThat(testpmd.isAlive()).as(testpmd.log()).isTrue();
        }
    }

    /** Until a frame comes back. As testpmd starts, it sets its rings up more than once, and forgets what they hold. */
    private static void awaitForwarding(Nic nic, int pair, Testpmd testpmd) {
        FrameBatch batch = new FrameBatch(1);
        for (int probe = 0; probe < PROBES; probe++) {
            long mark = probe;
            nic.rxQueue(pair).pool().allocate(batch, 1);
            batch.frame(0).length(64);
            batch.frame(0).setLong(BEHIND_HEADER, mark);
            nic.txQueue(pair).send(batch);
            batch.release();
            if (BoundedWait.until(() -> comesBack(nic.rxQueue(pair), batch, mark), PROBE)) {
                return;
            }
        }
        throw new AssertionError("no frame comes back: " + testpmd.log());
    }

    private static boolean comesBack(RxQueue queue, FrameBatch batch, long mark) {
        boolean found = false;
        while (queue.receive(batch) > 0) {
            found |= batch.frame(0).getLong(BEHIND_HEADER) == mark;
            batch.release();
        }
        return found;
    }

    /** One for each pair of queues, in turns. */
    private static final class Bouncers {

        private final Nic nic;
        private final List<Bouncer> all = new ArrayList<>();

        Bouncers(Nic nic) {
            this.nic = nic;
            for (int pair = 0; pair < nic.queues(); pair++) {
                all.add(new Bouncer(nic, pair));
            }
        }

        /** Until on each pair so many more frames have come back. */
        void runFor(long frames) {
            long[] goals =
                    all.stream().mapToLong(each -> each.received() + frames).toArray();
            assertThat(BoundedWait.until(
                            () -> {
                                boolean done = true;
                                for (int i = 0; i < goals.length; i++) {
                                    all.get(i).run();
                                    done &= all.get(i).received() >= goals[i];
                                }
                                return done;
                            },
                            PATIENCE))
                    .as("frames come back until %s; %s", Arrays.toString(goals), nic.statistics())
                    .isTrue();
        }

        /** Takes what the dead back-end had sent. */
        void drain() {
            VhostUserNicTest.waitFor(nic, false);
            for (int i = 0; i < 100; i++) {
                all.forEach(Bouncer::receive);
            }
        }

        /** Until nothing more comes back. */
        void settle() {
            all.forEach(Bouncer::giveUp);
            while (all.stream().anyMatch(Bouncer::isMoving)) {
                all.forEach(Bouncer::receive);
                Thread.onSpinWait();
            }
        }

        /** What has not come back; the rest has come back once, and on the pair by which it went. */
        long lost() {
            long lost = 0;
            for (Bouncer each : all) {
                assertThat(each.corrupt).isZero();
                assertThat(each.duplicates).isZero();
                assertThat(each.strays).isZero();
                lost += each.sent - each.received();
            }
            return lost;
        }
    }

    /** Sends numbered frames and takes them back; what does not come back is not sent again. */
    private static final class Bouncer {

        private static final int WINDOW = 128;

        private final RxQueue rx;
        private final TxQueue tx;
        private final long address;
        private final FrameBatch out = new FrameBatch(32);
        private final FrameBatch in = new FrameBatch(32);
        private final BitSet back = new BitSet();
        private long sent;
        private long given;
        private long highest;
        private long corrupt;
        private long duplicates;
        private long strays;
        private long moved = System.nanoTime();

        Bouncer(Nic nic, int pair) {
            this.rx = nic.rxQueue(pair);
            this.tx = nic.txQueue(pair);
            this.address = ADDRESS + pair;
        }

        long received() {
            return back.cardinality();
        }

        void run() {
            for (int i = 0; i < 2000; i++) {
                send();
                receive();
            }
        }

        private void send() {
            // Those below the highest that came back will not come any more; after a while, none of the others will.
            if (System.nanoTime() - moved > 100_000_000L) {
                highest = given;
            }
            while (out.remaining() > 0 && given - highest < WINDOW) {
                if (rx.pool().allocate(out, 1) == 0) {
                    break;
                }
                Frame frame = out.frame(out.size() - 1);
                frame.length(NumberedFrames.length(given));
                NumberedFrames.write(frame.memory(), frame.position(), address, address, given++, 0);
            }
            sent += tx.send(out);
        }

        void receive() {
            int count = rx.receive(in);
            for (int i = 0; i < count; i++) {
                accept(in.frame(i));
            }
            in.release();
        }

        private void accept(Frame frame) {
            if (!NumberedFrames.isIntact(frame.memory(), frame.position(), frame.length())) {
                corrupt++;
                return;
            }
            if (frame.getMac(0).value() != address) {
                strays++;
                return;
            }
            int number = (int) NumberedFrames.number(frame.memory(), frame.position());
            if (back.get(number)) {
                duplicates++;
            }
            back.set(number);
            highest = Math.max(highest, number + 1L);
            moved = System.nanoTime();
        }

        /** Sends no more. */
        void giveUp() {
            out.release();
            moved = System.nanoTime();
        }

        /** Whether something has come back in the last half second. */
        boolean isMoving() {
            return System.nanoTime() - moved < 500_000_000L;
        }
    }
}
