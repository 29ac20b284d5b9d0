package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.virtio.spec.Feature;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A device that lies: about ids, lengths, counts, order and wrap counters. Whatever it writes, the driver either names
 * the error and stops the queue, or gives out each buffer to one owner at a time; and no buffer is ever lost.
 */
class HostileDeviceTest {

    private static final int OPERATIONS = 200_000; // of each layout: more than a million in all
    private static final int SIZE = 16;
    private static final int BUFFERS = 64;
    private static final int ONE_LIE_IN = 40;

    /** In a header's first word (5.1.6.4). */
    private static final long DATA_VALID = 2;

    /** Bytes that no buffer has room for. */
    private static final int TOO_LONG = 4096;

    private static final Feature[] ALL = {
        Feature.VIRTIO_NET_F_MRG_RXBUF,
        Feature.VIRTIO_NET_F_GUEST_CSUM,
        Feature.VIRTIO_NET_F_GUEST_TSO4,
        Feature.VIRTIO_F_INDIRECT_DESC,
    };

    @ParameterizedTest
    @EnumSource
    void losesNoBufferAndSharesNone(Layout layout) {
        run(layout, false);
    }

    /** With all that a header can lie about, and frames in several buffers, sent by tables. */
    @ParameterizedTest
    @EnumSource
    void losesNoneOfFramesInSeveralBuffersEither(Layout layout) {
        run(layout, true, ALL);
    }

    /** And by chains. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SPLIT_IN_ORDER")
    void losesNoneOfFramesInChainsEither(Layout layout) {
        run(layout, true, Feature.VIRTIO_NET_F_MRG_RXBUF);
    }

    /**
     * One that writes another length while the driver looks at it, of a frame whose header must be looked at too: what was
     * checked is what is used.
     */
    @ParameterizedTest
    @EnumSource
    void usesTheLengthThatItHasChecked(Layout layout) throws InterruptedException {
        try (Rig rig = new Rig(layout, SIZE, BUFFERS, ALL)) {
            for (int buffer : rig.buffers) {
                long at = rig.source.deviceAddress(buffer);
                rig.memory.segment().set(ValueLayout.JAVA_LONG_UNALIGNED, at, DATA_VALID);
                rig.memory.segment().set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 10, (short) 1);
            }
            AtomicBoolean ended = new AtomicBoolean();
            Thread device = Thread.ofPlatform().daemon().start(() -> {
                QueuePeer far = rig.farEnd(rig.rx);
                for (int length = 0; !ended.get(); length ^= TOO_LONG) {
                    far.reset();
                    far.use(0, Rig.HEADER + 60 + length);
                }
            });
            FrameBatch batch = new FrameBatch(4);
            int frames = 0;
            for (int i = 0; i < OPERATIONS / 10; i++) {
                rig.rxFar.use(0, Rig.HEADER + 60);
                rig.rxFar.publish();
                try {
                    frames += rig.rx.receive(batch);
                } catch (BrokenDeviceException e) {
                    assertThat(batch.isEmpty()).isTrue();
                }
                requireWhole(batch);
                batch.release();
                rig.rx.stop();
                rig.startReceive();
            }
            ended.set(true);
            device.join();
            rig.rx.stop();
            assertThat(frames).as("frames that arrived all the same").isPositive();
            requireAll(rig);
        }
    }

    private static void run(Layout layout, boolean several, Feature... features) {
        try (Rig rig = new Rig(layout, SIZE, BUFFERS, features)) {
            Outcome outcome = live(rig, several);
            assertThat(outcome.errors).as("lies that were found out").isGreaterThan(OPERATIONS / 1000);
            assertThat(outcome.frames).as("frames that arrived all the same").isGreaterThan(OPERATIONS / 100);
            requireAll(rig);
        }
    }

    private record Outcome(int errors, int frames) {}

    /** Has both sides do much, and stops the queues. */
    private static Outcome live(Rig rig, boolean several) {
        Layout layout = rig.layout;
        Random random = new Random(layout.ordinal());
        FrameBatch batch = new FrameBatch(24);
        List<Integer> rxTaken = new ArrayList<>();
        List<Integer> txTaken = new ArrayList<>();
        int errors = 0;
        int frames = 0;
        for (int i = 0; i < OPERATIONS; i++) {
            boolean lie = random.nextInt(ONE_LIE_IN) == 0;
            try {
                switch (random.nextInt(5)) {
                    case 0 -> {
                        if (several) {
                            writeHeaders(rig, random);
                        }
                        play(rig.rxFar, rxTaken, layout, random, lie, 1 + random.nextInt(Rig.HEADER + 192));
                    }
                    case 1 -> play(rig.txFar, txTaken, layout, random, lie, 0);
                    case 2 -> {
                        frames += rig.rx.receive(batch);
                        requireWhole(batch);
                    }
                    case 3 -> {
                        if (batch.isEmpty()) {
                            rig.pool.allocate(batch, random.nextInt(8));
                            if (several && !batch.isEmpty()) {
                                batch.join(0, 1 + random.nextInt(batch.size()));
                            }
                        }
                        send(rig, batch, random);
                    }
                    default -> rig.tx.reclaim();
                }
            } catch (BrokenDeviceException e) {
                errors++;
                boolean receive = e.getMessage().startsWith("rx: ");
                assertThat(receive || e.getMessage().startsWith("tx: ")).isTrue();
                assertThat(e).hasMessageEndingWith("; the queue has stopped");
                requireDistinct(batch);
                requireWhole(batch);
                if (receive) {
                    rig.rx.stop();
                    rxTaken.clear();
                    rig.startReceive();
                } else {
                    rig.tx.stop();
                    txTaken.clear();
                    rig.startTransmit();
                }
            }
            if (random.nextInt(4) == 0) {
                batch.release();
            }
        }
        batch.release();
        rig.rx.stop();
        rig.tx.stop();
        return new Outcome(errors, frames);
    }

    private static void requireAll(Rig rig) {
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
        FrameBatch all = new FrameBatch(BUFFERS);
        rig.pool.allocate(all, BUFFERS);
        assertThat(all.size()).isEqualTo(BUFFERS);
        requireDistinct(all);
    }

    /** Most headers are true, and the others say anything: of flags, cuts, checksums, and how many buffers there are. */
    private static void writeHeaders(Rig rig, Random random) {
        MemorySegment device = rig.memory.segment();
        for (int buffer : rig.buffers) {
            long at = rig.source.deviceAddress(buffer);
            boolean lie = random.nextInt(8) == 0;
            device.set(ValueLayout.JAVA_LONG_UNALIGNED, at, lie ? random.nextLong() : 0);
            device.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 8, (short) random.nextInt());
            device.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 10, (short) (lie ? random.nextInt(-2, 6) : 1));
        }
    }

    /** Sends frames, one of which, at times, is too short to be sent: then none of them is. */
    private static void send(Rig rig, FrameBatch batch, Random random) {
        int bad = random.nextInt(40);
        for (int i = 0; i < batch.size(); i++) {
            batch.frame(i).length(i == bad ? 5 : 60);
        }
        try {
            rig.tx.send(batch);
        } catch (BrokenDeviceException e) {
            throw e;
        } catch (DoorbellException e) {
            assertThat(e.getMessage()).containsAnyOf("a frame of 5 bytes", "with 5 bytes in number 0");
        }
    }

    /** A device at work: takes some buffers, and uses some, in any order that it may choose, or lies. */
    private static void play(
            QueuePeer far, List<Integer> taken, Layout layout, Random random, boolean lie, int length) {
        while (taken.size() < SIZE && random.nextInt(3) != 0 && far.take()) {
            taken.add(far.id());
        }
        if (lie) {
            switch (random.nextInt(4)) {
                case 0 -> far.use(random.nextInt(), length);
                case 1 -> far.use(random.nextInt(SIZE), length);
                case 2 -> far.use(taken.isEmpty() ? 0 : taken.removeFirst(), random.nextInt());
                default -> far.scramble(random);
            }
        } else {
            int count = random.nextInt(taken.size() + 1);
            for (int i = 0; i < count; i++) {
                int which = layout.isInOrder() ? 0 : random.nextInt(taken.size());
                far.use(taken.remove(which), Math.max(length, Rig.HEADER + 1));
            }
        }
        far.publish();
    }

    private static void requireWhole(FrameBatch batch) {
        for (int i = 0; i < batch.size(); i++) {
            Frame frame = batch.frame(i);
            long end = frame.position() - frame.pool().position(frame.buffer()) + frame.length();
            if (end > Rig.BUFFER) {
                fail("frame %d ends %d bytes into a buffer of %d", i, end, Rig.BUFFER);
            }
        }
        if (!batch.isEmpty()) {
            assertThat(batch.frame(batch.size() - 1).continues()).isFalse();
        }
    }

    private static void requireDistinct(FrameBatch batch) {
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < batch.size(); i++) {
            int buffer = batch.frame(i).buffer();
            assertThat(seen.add(buffer))
                    .as("buffer %d is in the batch once", buffer)
                    .isTrue();
        }
    }
}
