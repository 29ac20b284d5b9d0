package io.doorbell.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.NumberedExchange;
import io.doorbell.qemu.NumberedFrames;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our front-end, judged by DPDK's back-end, which sends every frame back. */
class VhostUserDpdkIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

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
        return Testpmd.start(dir, socket(), mode, "", 1);
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

    /**
     * What testpmd holds when it is killed is lost without a trace: a burst of 32 that it has read and not written, at
     * most. What was in the ring it may have read, and even have sent back, before it could say so.
     */
    @ParameterizedTest
    @CsvSource({"VIRTIO_NET_F_GUEST_ANNOUNCE", "VIRTIO_F_RING_PACKED", "VIRTIO_F_IN_ORDER"})
    void countsWhatIsLostWhenTheBackEndIsKilledAndGoesOnWhenItIsBack(String without) {
        int kills = 4;
        int burst = 32;
        NicConfig config = NicConfig.defaults().withoutFeatures(without);
        Testpmd testpmd = testpmd("io");
        try (Nic nic = open(testpmd, config)) {
            Bouncer bouncer = new Bouncer(nic);
            for (int i = 0; i < kills; i++) {
                long before = bouncer.received();
                bouncer.runUntil(before + 20_000);
                testpmd.close();
                bouncer.drain();
                testpmd = testpmd("io");
            }
            bouncer.runUntil(bouncer.received() + 20_000);
            bouncer.settle();

            long lost = bouncer.sent - bouncer.received();
            long counted = nic.statistics().txErrors();
            assertThat(bouncer.corrupt).isZero();
            assertThat(bouncer.duplicates).isZero();
            assertThat(lost).isLessThanOrEqualTo(counted + (long) kills * burst);
            assertThat(nic.statistics().details()).containsEntry("reconnects", (long) kills);
            FramePool pool = nic.rxQueue(0).pool();
            nic.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
        } finally {
            testpmd.close();
        }
    }

    /** Sends numbered frames and takes them back; what does not come back is not sent again. */
    private static final class Bouncer {

        private static final int WINDOW = 128;

        private final Nic nic;
        private final FrameBatch out = new FrameBatch(32);
        private final FrameBatch in = new FrameBatch(32);
        private final BitSet back = new BitSet();
        private long sent;
        private long given;
        private long highest;
        private long corrupt;
        private long duplicates;
        private long moved = System.nanoTime();

        Bouncer(Nic nic) {
            this.nic = nic;
        }

        long received() {
            return back.cardinality();
        }

        void runUntil(long received) {
            assertThat(BoundedWait.until(
                            () -> {
                                for (int i = 0; i < 2000; i++) {
                                    send();
                                    receive();
                                }
                                return received() >= received;
                            },
                            PATIENCE))
                    .as("%d frames of %d came back, until %d; %s", received(), sent, received, nic.statistics())
                    .isTrue();
        }

        private void send() {
            // Those below the highest that came back will not come any more; after a while, none of the others will.
            if (System.nanoTime() - moved > 100_000_000L) {
                highest = given;
            }
            while (out.room() > 0 && given - highest < WINDOW) {
                if (nic.rxQueue(0).pool().allocate(out, 1) == 0) {
                    break;
                }
                Frame frame = out.frame(out.size() - 1);
                frame.length(NumberedFrames.length(given));
                NumberedFrames.write(frame.memory(), frame.position(), ADDRESS, ADDRESS, given++, 0);
            }
            sent += nic.txQueue(0).send(out);
        }

        private void receive() {
            int count = nic.rxQueue(0).receive(in);
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
            int number = (int) NumberedFrames.number(frame.memory(), frame.position());
            if (back.get(number)) {
                duplicates++;
            }
            back.set(number);
            highest = Math.max(highest, number + 1L);
            moved = System.nanoTime();
        }

        /** Takes what the dead back-end had sent. */
        void drain() {
            VhostUserNicTest.waitFor(nic, false);
            for (int i = 0; i < 100; i++) {
                receive();
            }
        }

        /** Until nothing more comes back. */
        void settle() {
            out.release();
            moved = System.nanoTime();
            while (System.nanoTime() - moved < 500_000_000L) {
                receive();
                Thread.onSpinWait();
            }
        }
    }
}
