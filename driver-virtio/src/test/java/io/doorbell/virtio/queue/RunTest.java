package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.virtio.spec.Feature;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames in several buffers, and headers that say something, over each ring layout, with tables and without. */
@ParameterizedClass
@MethodSource("rings")
class RunTest {

    private static final int SIZE = 16;
    private static final int BUFFERS = 64;
    /** Bytes behind the header in a buffer. */
    private static final int ROOM = 192;

    private static final Feature[] FEATURES = {
        Feature.VIRTIO_NET_F_CSUM,
        Feature.VIRTIO_NET_F_GUEST_CSUM,
        Feature.VIRTIO_NET_F_MRG_RXBUF,
        Feature.VIRTIO_NET_F_GUEST_TSO4,
        Feature.VIRTIO_NET_F_GUEST_USO4,
        Feature.VIRTIO_NET_F_HOST_TSO4,
    };

    private final Layout layout;
    private final boolean tables;
    private final Rig rig;
    private final MemorySegment device;
    /** Whether the device says of all of a frame's buffers at once that they are used. */
    private boolean asOne;

    private final FrameBatch batch = new FrameBatch(BUFFERS);

    RunTest(Layout layout, boolean tables) {
        this.layout = layout;
        this.tables = tables;
        Feature[] features = Arrays.copyOf(FEATURES, FEATURES.length + 1);
        features[FEATURES.length] = tables ? Feature.VIRTIO_F_INDIRECT_DESC : Feature.VIRTIO_F_VERSION_1;
        this.rig = new Rig(layout, SIZE, BUFFERS, features);
        this.device = rig.memory.segment();
    }

    static Stream<Arguments> rings() {
        return Arrays.stream(Layout.values())
                .flatMap(layout -> Stream.of(true, false).map(tables -> Arguments.of(layout, tables)));
    }

    @AfterEach
    void close() {
        rig.close();
    }

    /** Without tables, a split ring that is used in order sends no such frames. */
    private void assumeSends() {
        Assumptions.assumeTrue(tables || layout != Layout.SPLIT_IN_ORDER);
    }

    private static byte[] content(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    // ---- Sending

    /** Adds a frame to the batch, in so many slots of about one length. */
    private void add(byte[] content, int slots) {
        int first = batch.size();
        assertThat(rig.pool.allocate(batch, slots)).isEqualTo(slots);
        for (int i = 0; i < slots; i++) {
            int from = content.length * i / slots;
            batch.frame(first + i).copyFrom(Arrays.copyOfRange(content, from, content.length * (i + 1) / slots));
        }
        batch.join(first, slots);
    }

    /** What the device reads next: header and frame. */
    private byte[] sent() {
        assertThat(rig.txFar.take()).as("there is a frame").isTrue();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < rig.txFar.segments(); i++) {
            bytes.writeBytes(
                    device.asSlice(rig.txFar.address(i), rig.txFar.length(i)).toArray(ValueLayout.JAVA_BYTE));
        }
        return bytes.toByteArray();
    }

    private static byte[] withClearHeader(byte[] content) {
        byte[] all = new byte[Rig.HEADER + content.length];
        System.arraycopy(content, 0, all, Rig.HEADER, content.length);
        return all;
    }

    @Test
    void sendsFramesOfSeveralSlotsAmongOthersRoundAndRound() {
        assumeSends();
        Random random = new Random(1);
        for (int round = 0; round < 2000; round++) {
            List<byte[]> contents = new ArrayList<>();
            int slots = 0;
            for (int i = 0; i < 4 && slots < SIZE - 5; i++) {
                int run = 1 + random.nextInt(5);
                contents.add(content(60 * run + random.nextInt(50), round));
                add(contents.getLast(), run);
                slots += run;
            }
            assertThat(rig.tx.send(batch)).isEqualTo(slots);
            assertThat(batch.isEmpty()).isTrue();
            List<Integer> ids = new ArrayList<>();
            for (byte[] content : contents) {
                assertThat(sent()).isEqualTo(withClearHeader(content));
                ids.add(rig.txFar.id());
            }
            assertThat(rig.txFar.take()).isFalse();
            assertThat(rig.tx.reclaim()).isEqualTo(contents.size());
            assertThat(rig.tx.unsentBytes())
                    .isEqualTo(contents.stream().mapToLong(all -> all.length).sum());
            while (!ids.isEmpty()) {
                rig.txFar.use(ids.remove(layout.isInOrder() ? 0 : random.nextInt(ids.size())), 0);
            }
            rig.txFar.publish();
            assertThat(rig.tx.reclaim()).isZero();
            assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
        }
    }

    @Test
    void takesAFrameWholeOrNotAtAll() {
        assumeSends();
        for (int i = 0; i < SIZE - 2; i++) {
            add(content(60, i), 1);
        }
        add(content(300, 99), 3);
        if (tables) {
            assertThat(rig.tx.send(batch)).isEqualTo(SIZE + 1);
            return;
        }
        assertThat(rig.tx.send(batch)).isEqualTo(SIZE - 2);
        assertThat(batch.size()).isEqualTo(3);
        assertThat(rig.tx.send(batch)).isZero();
        byte[] first = sent();
        assertThat(first).hasSize(Rig.HEADER + 60);
        rig.txFar.use(rig.txFar.id(), 0);
        rig.txFar.publish();
        assertThat(rig.tx.send(batch)).isEqualTo(3);
        for (int i = 1; i < SIZE - 2; i++) {
            sent();
        }
        assertThat(sent()).isEqualTo(withClearHeader(content(300, 99)));
    }

    @Test
    void showsNothingOfABatchThatWasRefused() {
        assumeSends();
        for (int lap = 0; lap < 5 * SIZE; lap++) {
            add(content(200, 1), 3);
            add(content(60, 2), 1);
            add(content(130, 3), 2);
            batch.frame(5).length(0);
            assertThatThrownBy(() -> rig.tx.send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("with 0 bytes in number 1");
            assertThat(batch.size()).isEqualTo(6);
            assertThat(rig.txFar.take()).isFalse();
            batch.release(4);
            assertThat(rig.tx.send(batch)).isEqualTo(4);
            assertThat(sent()).isEqualTo(withClearHeader(content(200, 1)));
            int first = rig.txFar.id();
            assertThat(sent()).isEqualTo(withClearHeader(content(60, 2)));
            assertThat(rig.txFar.take()).isFalse();
            rig.txFar.use(first, 0);
            rig.txFar.use(rig.txFar.id(), 0);
            rig.txFar.publish();
        }
        assertThat(rig.tx.reclaim()).isZero();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS - SIZE);
    }

    @Test
    void refusesAFrameThatEndsBehindTheBatch() {
        add(content(100, 1), 2);
        batch.frame(1).addOffloads(Offloads.MORE_SEGMENTS);
        assertThatThrownBy(() -> rig.tx.send(batch))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("goes on in a slot that there is not");
    }

    @Test
    void saysWhatItTakesWhereThereAreNoTables() {
        Assumptions.assumeTrue(!tables && layout == Layout.SPLIT_IN_ORDER);
        add(content(100, 1), 2);
        assertThatThrownBy(() -> rig.tx.send(batch))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_F_INDIRECT_DESC is not in use (");
    }

    @Test
    void putsWhatIsAskedIntoTheHeaderOfTheWholeFrame() {
        assumeSends();
        byte[] content = content(500, 7);
        content[34 + 13] = 0x10;
        add(content, 3);
        batch.frame(0).needsChecksum(34, 16);
        batch.frame(0).segment(Segmentation.TCP4, 54, 200);
        assertThat(rig.tx.send(batch)).isEqualTo(3);
        byte[] sent = sent();
        assertThat(Arrays.copyOf(sent, Rig.HEADER)).containsExactly(1, 1, 54, 0, 200, 0, 34, 0, 16, 0, 0, 0);
        assertThat(Arrays.copyOfRange(sent, Rig.HEADER, sent.length)).isEqualTo(content);
    }

    @Test
    void givesAllBuffersBackWhenItStops() {
        assumeSends();
        add(content(500, 7), 5);
        add(content(50, 7), 1);
        assertThat(rig.tx.send(batch)).isEqualTo(6);
        rig.tx.stop();
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void refusesPartsOfAFrameForTheWhole() {
        Assumptions.assumeTrue(!tables && layout == Layout.PACKED);
        add(content(500, 7), 5);
        assertThat(rig.tx.send(batch)).isEqualTo(5);
        sent();
        // The third of five; the device may give back the last only.
        rig.txFar.use(2, 0);
        rig.txFar.publish();
        assertThatThrownBy(() -> rig.tx.reclaim())
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("says buffer 2");
    }

    // ---- Receiving

    /** The device puts a frame into as many buffers as it takes, and says in its header what it is told to. */
    private void arrive(byte[] content, int... header) {
        byte[] all = new byte[Rig.HEADER + content.length];
        System.arraycopy(content, 0, all, Rig.HEADER, content.length);
        for (int i = 0; i < header.length; i++) {
            all[i] = (byte) header[i];
        }
        int capacity = Rig.HEADER + ROOM;
        all[10] = (byte) ((all.length + capacity - 1) / capacity);
        List<Integer> ids = new ArrayList<>();
        List<Integer> lengths = new ArrayList<>();
        for (int from = 0; from < all.length; from += capacity) {
            assertThat(rig.rxFar.take()).isTrue();
            int length = Math.min(capacity, all.length - from);
            MemorySegment.copy(all, from, device, ValueLayout.JAVA_BYTE, rig.rxFar.address(), length);
            ids.add(rig.rxFar.id());
            lengths.add(length);
        }
        if (asOne) {
            rig.rxFar.useBatch(ids.getLast(), lengths.getLast(), ids.size());
        } else {
            for (int i = 0; i < ids.size(); i++) {
                rig.rxFar.use(ids.get(i), lengths.get(i));
            }
        }
        rig.rxFar.publish();
    }

    private byte[] received(int index) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = index; i < index + batch.slots(index); i++) {
            bytes.writeBytes(batch.frame(i).toByteArray());
        }
        return bytes.toByteArray();
    }

    @Test
    void receivesFramesOfEveryLengthRoundAndRound() {
        for (int length = 14; length < 1400; length++) {
            arrive(content(length, length));
            arrive(content(60, 2L * length));
            int slots = (Rig.HEADER + length + Rig.HEADER + ROOM - 1) / (Rig.HEADER + ROOM);
            assertThat(rig.rx.receive(batch)).isEqualTo(slots + 1);
            assertThat(batch.slots(0)).isEqualTo(slots);
            assertThat(batch.length(0)).isEqualTo(length);
            assertThat(received(0)).isEqualTo(content(length, length));
            assertThat(received(slots)).isEqualTo(content(60, 2L * length));
            batch.release();
        }
        assertThat(rig.rx.counters().frames).isEqualTo(2 * 1386);
        assertThat(rig.rx.counters().errors).isZero();
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    /** All of its buffers but the last are full, so that in order one entry says it all. */
    @Test
    void receivesAFrameInSeveralBuffersThatTheDeviceUsedAsOne() {
        Assumptions.assumeTrue(layout.isInOrder());
        asOne = true;
        receivesFramesOfEveryLengthRoundAndRound();
        rig.startReceive();
        leavesAFrameInTheRingThatTheBatchHasNoRoomFor();
    }

    @Test
    void leavesAFrameInTheRingThatTheBatchHasNoRoomFor() {
        arrive(content(60, 1));
        arrive(content(500, 2));
        FrameBatch small = new FrameBatch(3);
        assertThat(rig.rx.receive(small)).isEqualTo(1);
        assertThat(rig.rx.receive(small)).isZero();
        small.release();
        assertThat(rig.rx.receive(small)).isEqualTo(3);
        assertThat(small.length(0)).isEqualTo(500);
    }

    @Test
    void dropsAndCountsAFrameThatTheBatchCanNeverHold() {
        arrive(content(500, 1));
        arrive(content(70, 2));
        FrameBatch small = new FrameBatch(2);
        for (int tries = 0; small.isEmpty() && tries < 2; tries++) {
            rig.rx.receive(small);
        }
        assertThat(small.frame(0).toByteArray()).isEqualTo(content(70, 2));
        assertThat(rig.rx.counters().errors).isEqualTo(1);
        assertThat(rig.rx.counters().frames).isEqualTo(1);
        small.release();
        rig.rx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void forwardsWhatItReceived() {
        assumeSends();
        byte[] content = content(1000, 3);
        content[34 + 12] = 0x50;
        content[34 + 13] = 0x10;
        arrive(content, 1, 1, 0, 0, 200, 0, 34, 0, 16, 0);
        rig.rx.receive(batch);
        Frame first = batch.frame(0);
        assertThat(first.offloads()).isEqualTo(Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS);
        assertThat(first.segmentHeader()).isEqualTo(54);
        int slots = batch.size();
        assertThat(rig.tx.send(batch)).isEqualTo(slots);
        byte[] sent = sent();
        assertThat(Arrays.copyOf(sent, Rig.HEADER)).containsExactly(1, 1, 54, 0, 200, 0, 34, 0, 16, 0, 0, 0);
        assertThat(Arrays.copyOfRange(sent, Rig.HEADER, sent.length)).isEqualTo(content);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static int[] header(String numbers) {
        return Arrays.stream(numbers.split(" ")).mapToInt(Integer::parseInt).toArray();
    }

    @ParameterizedTest
    @CsvSource({
        "1 0 0 0 0 0 34 0 6 0, NEEDS_CHECKSUM",
        "2 0 0 0 0 0 0 0 0 0, CHECKSUM_GOOD",
        "0 0 54 0 0 0 0 0 0 0, none",
        "8 0 0 0 0 0 0 0 0 0, none",
        "1 5 0 0 20 0 34 0 6 0, NEEDS_CHECKSUM SEGMENT",
        "1 129 0 0 20 0 34 0 16 0, NEEDS_CHECKSUM SEGMENT",
    })
    void saysWhatTheHeaderSays(String header, String offloads) {
        arrive(content(100, 1), header(header));
        assertThat(rig.rx.receive(batch)).isEqualTo(1);
        assertThat(Offloads.toString(batch.frame(0).offloads())).isEqualTo(offloads);
        assertThat(batch.frame(0).toByteArray()).isEqualTo(content(100, 1));
    }

    /** A neighbour may have written it: so it costs the frame and not the queue. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1 0 0 0 0 0 34 0 65 0", // the checksum is behind the end
                "1 0 0 0 0 0 255 255 255 255",
                "1 4 0 0 20 0 34 0 16 0", // TCP over IPv6 was not agreed on
                "1 3 0 0 20 0 34 0 16 0",
                "1 127 0 0 20 0 34 0 16 0",
                "0 1 0 0 20 0 34 0 16 0", // to be cut, with a checksum in place
                "1 1 0 0 0 0 34 0 16 0", // into pieces of nothing
                "1 1 0 0 20 0 90 0 8 0", // behind headers that are longer than the frame
            })
    void dropsAndCountsFramesWithHeadersThatCannotBe(String header) {
        arrive(content(100, 1), header(header));
        arrive(content(77, 2));
        assertThat(rig.rx.receive(batch)).isEqualTo(1);
        assertThat(batch.frame(0).toByteArray()).isEqualTo(content(77, 2));
        assertThat(rig.rx.counters().errors).isEqualTo(1);
        assertThat(rig.rx.counters().frames).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 17, 65535})
    void stopsWhenTheDeviceLiesAboutTheNumberOfBuffers(int number) {
        arrive(content(60, 1));
        assertThat(rig.rxFar.take()).isTrue();
        device.asSlice(rig.rxFar.address(), 12)
                .copyFrom(MemorySegment.ofArray(bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number, number >>> 8)));
        rig.rxFar.use(rig.rxFar.id(), 100);
        rig.rxFar.publish();
        assertThatThrownBy(() -> rig.rx.receive(batch))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageStartingWith("rx: ")
                .hasMessageContaining("the queue has stopped");
        assertThat(batch.size()).as("what came before").isEqualTo(1);
        batch.release();
        rig.rx.stop();
        rig.tx.stop();
        assertThat(rig.pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void losesNoBufferWhenAFrameTurnsOutToBeALieHalfway() {
        for (int lie = 0; lie < 3; lie++) {
            int[] ids = new int[3];
            for (int i = 0; i < 3; i++) {
                assertThat(rig.rxFar.take()).isTrue();
                ids[i] = rig.rxFar.id();
                device.asSlice(rig.rxFar.address(), 12)
                        .copyFrom(MemorySegment.ofArray(bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0)));
            }
            rig.rxFar.use(ids[0], Rig.HEADER + ROOM);
            rig.rxFar.use(lie == 0 ? ids[0] : ids[1], Rig.HEADER + ROOM);
            rig.rxFar.use(ids[2], lie == 1 ? 0 : Rig.HEADER + ROOM + (lie == 2 ? 1 : 0));
            rig.rxFar.publish();
            assertThatThrownBy(() -> rig.rx.receive(batch)).isInstanceOf(BrokenDeviceException.class);
            assertThat(batch.isEmpty()).isTrue();
            rig.rx.stop();
            assertThat(rig.pool.available()).isEqualTo(BUFFERS);
            rig.startReceive();
        }
    }
}
