package io.doorbell.virtio.vhost.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.event.EventRecording;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostDisconnected;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import io.doorbell.virtio.vhost.VhostRequest;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import io.doorbell.virtio.vhost.frontend.VhostUserTransport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The back-end and front-ends that are not as good as ours. */
class VhostBackendTest {

    private static final int SIZE = 8;
    private static final int AVAILABLE = SIZE * 16;
    private static final int USED = 512;
    private static final int TABLE = 1024;
    private static final int FRAME = 2048;
    private static final int TX = 1;

    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;

    @TempDir
    private Path dir;

    private String path;
    private Nic back;

    @BeforeEach
    void open() {
        path = dir.resolve("vhost.sock").toString();
        back = Nic.open("vhost-user-backend:" + path, NicConfig.defaults());
    }

    @AfterEach
    void close() {
        back.close();
    }

    /** A front-end whose transmit ring is written by hand. */
    private final class RawFrontEnd implements AutoCloseable {

        final VhostUserTransport transport = new VhostUserTransport(Kernel.linux(), path, MacAddress.randomLocal());
        final DmaRegion region = transport.dma().allocate(4096);
        final MemorySegment memory = region.segment();
        final long start = region.deviceAddress();

        RawFrontEnd(Feature... features) {
            long all = Feature.VIRTIO_F_VERSION_1.mask();
            for (Feature feature : features) {
                all |= feature.mask();
            }
            transport.driverFeatures(all);
            boolean packed = Feature.VIRTIO_F_RING_PACKED.isIn(all);
            transport.enableQueue(
                    TX, new QueueAddresses(SIZE, start, start + (packed ? 256 : AVAILABLE), start + USED));
            transport.addStatus(DeviceStatus.DRIVER_OK);
            transport.startQueue(TX);
        }

        void describe(long at, long address, int length, int flags, int next) {
            memory.set(JAVA_LONG, at, address);
            memory.set(JAVA_INT, at + 8, length);
            memory.set(JAVA_SHORT, at + 12, (short) flags);
            memory.set(JAVA_SHORT, at + 14, (short) next);
        }

        void makeAvailable(int head, int index) {
            memory.set(JAVA_SHORT, AVAILABLE + 4, (short) head);
            memory.set(JAVA_SHORT, AVAILABLE + 2, (short) index);
        }

        @Override
        public void close() {
            transport.close();
        }
    }

    private int receive() {
        return back.rxQueue(0).receive(new FrameBatch(SIZE));
    }

    private void isRefusedWith(String words) {
        assertThatThrownBy(this::receive)
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining(words)
                .hasMessageEndingWith("it is disconnected");
        assertThat(BoundedWait.until(() -> !back.linkState().up(), VhostUserNicTest.SOON))
                .isTrue();
        assertThat(receive()).isZero();
        try (Nic front = Nic.open("vhost-user:" + path)) {
            back.awaitLink(VhostUserNicTest.SOON);
            assertThat(front.linkState().up()).isTrue();
        }
    }

    @Test
    void readsChainsAndIndirectTables() {
        try (RawFrontEnd front = new RawFrontEnd(Feature.VIRTIO_F_INDIRECT_DESC)) {
            front.memory.asSlice(FRAME + 12, 60).fill((byte) 7);
            // header and frame in pieces, of which the middle one is a table of its own in another ring entry
            front.describe(0, front.start + FRAME, 5, NEXT, 3);
            front.describe(3 * 16, front.start + FRAME + 5, 37, NEXT, 1);
            front.describe(16, front.start + FRAME + 42, 30, 0, 0);
            front.makeAvailable(0, 1);
            FrameBatch batch = new FrameBatch(2);
            assertThat(back.rxQueue(0).receive(batch)).isOne();
            assertThat(batch.frame(0).toByteArray()).hasSize(60).containsOnly(7);

            front.describe(2 * 16, front.start + TABLE, 48, INDIRECT, 0);
            front.describe(TABLE, front.start + FRAME, 12, NEXT, 2);
            front.describe(TABLE + 32, front.start + FRAME + 12, 20, NEXT, 1);
            front.describe(TABLE + 16, front.start + FRAME + 12, 40, 0, 0);
            front.memory.set(JAVA_SHORT, AVAILABLE + 6, (short) 2);
            front.memory.set(JAVA_SHORT, AVAILABLE + 2, (short) 2);
            assertThat(back.rxQueue(0).receive(batch)).isOne();
            assertThat(batch.frame(1).toByteArray()).hasSize(60).containsOnly(7);
            assertThat(front.memory.get(JAVA_SHORT, USED + 2)).isEqualTo((short) 2);
            assertThat(front.memory.get(JAVA_INT, USED + 4)).isZero();
            assertThat(front.memory.get(JAVA_INT, USED + 12)).isEqualTo(2);
            batch.release();
        }
    }

    @Test
    void dropsAndCountsFramesThatAreTooShortOrTooLong() {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, front.start, 12 + 13, 0, 0);
            front.makeAvailable(0, 1);
            assertThat(receive()).isZero();
            front.describe(0, front.start, 12 + 2049, 0, 0);
            front.memory.set(JAVA_SHORT, AVAILABLE + 6, (short) 0);
            front.memory.set(JAVA_SHORT, AVAILABLE + 2, (short) 2);
            assertThat(receive()).isZero();
            assertThat(back.statistics().rxErrors()).isEqualTo(2);
            assertThat(front.memory.get(JAVA_SHORT, USED + 2)).isEqualTo((short) 2);
        }
    }

    @Test
    void refusesAddressesOutsideOfSharedMemory() {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, 0x1000, 72, 0, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("a buffer at 0x1000 of 72 bytes, which is not in the memory that it shares");
        }
    }

    @Test
    void refusesBuffersThatRunOverTheEndOfSharedMemory() {
        try (EventRecording recording = new EventRecording(dir);
                RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, front.start, -1, 0, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("of 4294967295 bytes, which is not in the memory that it shares");
            assertThat(EventRecording.only("QueueStop", recording.read()))
                    .singleElement()
                    .satisfies(stop -> {
                        assertThat(stop.getString("nic")).isEqualTo(back.name());
                        assertThat(stop.getString("queue")).isEqualTo("receive queue 0");
                        assertThat(stop.getString("reason")).contains("of 4294967295 bytes");
                    });
        }
    }

    @Test
    void refusesChainsWithoutEnd() {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, front.start, 72, NEXT, 1);
            front.describe(16, front.start, 72, NEXT, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("a chain from descriptor 0 that has no end");
        }
    }

    @ParameterizedTest
    @CsvSource({"9, 1, descriptor 9 of 8", "0, 9, 9 buffers in a ring of 8", "0, -1, 65535 buffers in a ring of 8"})
    void refusesHeadsAndIndicesThatCannotBe(int head, int index, String words) {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.makeAvailable(head, index);
            isRefusedWith(words);
        }
    }

    @Test
    void refusesWritableBuffersToBeRead() {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, front.start, 72, WRITE, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("a buffer that the device is to write in a queue where it reads");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 16, no table in shared memory",
        "1, 17, no table in shared memory",
        "1, 0, no table in shared memory",
        "1, 4096, no table in shared memory"
    })
    void refusesIndirectTablesThatAreNone(int inMemory, int length, String words) {
        try (RawFrontEnd front = new RawFrontEnd(Feature.VIRTIO_F_INDIRECT_DESC)) {
            // 4096 bytes from the last one of the shared file on
            long last = front.transport.dma().allocate(1).deviceAddress() + (2 << 20) - 4096 - 64;
            front.describe(0, inMemory == 0 ? 8 : length == 4096 ? last : front.start, length, INDIRECT, 0);
            front.makeAvailable(0, 1);
            isRefusedWith(words);
        }
    }

    @Test
    void refusesTablesWithinTables() {
        try (RawFrontEnd front = new RawFrontEnd(Feature.VIRTIO_F_INDIRECT_DESC)) {
            front.describe(0, front.start + TABLE, 16, INDIRECT, 0);
            front.describe(TABLE, front.start + TABLE, 16, INDIRECT, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("an indirect table within an indirect table");
        }
    }

    @Test
    void refusesIndirectTablesThatWereNotAgreedOn() {
        try (RawFrontEnd front = new RawFrontEnd()) {
            front.describe(0, front.start + TABLE, 16, INDIRECT, 0);
            front.makeAvailable(0, 1);
            isRefusedWith("although VIRTIO_F_INDIRECT_DESC was not agreed on");
        }
    }

    @Test
    void refusesPackedChainsWithoutEnd() {
        try (RawFrontEnd front = new RawFrontEnd(Feature.VIRTIO_F_RING_PACKED)) {
            for (int i = 0; i < SIZE; i++) {
                // In the packed layout the id comes before the flags.
                front.describe(16 * i, front.start, 72, i, NEXT | 0x80);
            }
            isRefusedWith("a chain from descriptor 0 that has no end");
        }
    }

    @Test
    void takesNoMoreThanAPackedRingHoldsHoweverMuchIsMadeAvailableMeanwhile() {
        try (RawFrontEnd front = new RawFrontEnd(Feature.VIRTIO_F_RING_PACKED)) {
            for (int i = 0; i < SIZE; i++) {
                front.describe(16 * i, front.start, 72, i, 0x80);
            }
            assertThat(back.rxQueue(0).receive(new FrameBatch(64))).isEqualTo(SIZE);
            assertThat(front.memory.get(JAVA_SHORT, 14)).isEqualTo((short) 0x8080);
        }
    }

    // ---- The protocol

    private void isDisconnected(VhostConnection connection) {
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100; i++) {
                        connection.ask(VhostRequest.GET_FEATURES, 0, VhostMessage.empty(), List.of(), Long.BYTES);
                    }
                })
                .isInstanceOf(VhostDisconnected.class);
    }

    private VhostConnection connect() {
        return new VhostConnection(Kernel.linux(), "the back-end", UnixSocket.connect(Kernel.linux(), path));
    }

    @Test
    void disconnectsWhoTakesFeaturesThatWereNotOffered() {
        try (VhostConnection connection = connect()) {
            connection.send(VhostRequest.SET_FEATURES, 0, VhostMessage.number(-1), List.of());
            isDisconnected(connection);
        }
    }

    @Test
    void disconnectsWhoSharesMoreThanItsFileHas() {
        try (VhostConnection connection = connect();
                PinnedMemory memory = PinnedMemory.allocate(4096)) {
            ByteBuffer region = VhostMessage.bytes(8 + VhostRegion.BYTES).putLong(0);
            new VhostRegion(0, memory.segment().byteSize(), 0, 4096).write(region);
            connection.send(VhostRequest.ADD_MEM_REG, 0, region, List.of(memory.fd()));
            isDisconnected(connection);
        }
    }

    @Test
    void disconnectsWhoPutsARingWhereNoMemoryIs() {
        try (VhostConnection connection = connect();
                PinnedMemory memory = PinnedMemory.allocate(4096)) {
            ByteBuffer region = VhostMessage.bytes(8 + VhostRegion.BYTES).putLong(0);
            new VhostRegion(0, memory.segment().byteSize(), 0, 0).write(region);
            connection.send(
                    VhostRequest.SET_FEATURES, 0, VhostMessage.number(Feature.VIRTIO_F_VERSION_1.mask()), List.of());
            connection.send(VhostRequest.ADD_MEM_REG, 0, region, List.of(memory.fd()));
            connection.send(VhostRequest.SET_VRING_NUM, 0, VhostMessage.state(1, 256), List.of());
            connection.send(
                    VhostRequest.SET_VRING_ADDR,
                    0,
                    VhostMessage.bytes(40)
                            .putInt(1)
                            .putInt(0)
                            .putLong(1L << 40)
                            .putLong(0)
                            .putLong(0),
                    List.of());
            connection.send(VhostRequest.SET_VRING_KICK, 0, VhostMessage.number(1 | VhostProtocol.NO_FILE), List.of());
            isDisconnected(connection);
        }
    }

    @Test
    void disconnectsWhoSpeaksOfAQueueThatThereIsNot() {
        try (VhostConnection connection = connect()) {
            connection.send(VhostRequest.SET_VRING_NUM, 0, VhostMessage.state(2, 256), List.of());
            isDisconnected(connection);
        }
    }

    @Test
    void leavesNoOpenFilesBehind() throws IOException {
        try (Nic front = Nic.open("vhost-user:" + path)) {
            back.awaitLink(VhostUserNicTest.SOON);
            assertThat(front.linkState().up()).isTrue();
        }
        VhostUserNicTest.waitFor(back, false);
        long before = openFiles();
        for (int i = 0; i < 5; i++) {
            try (Nic front = Nic.open("vhost-user:" + path)) {
                back.awaitLink(VhostUserNicTest.SOON);
                assertThat(front.linkState().up()).isTrue();
            }
            VhostUserNicTest.waitFor(back, false);
        }
        assertThat(BoundedWait.until(() -> openFiles() <= before, VhostUserNicTest.SOON))
                .as("%d open files at first, %d now", before, openFiles())
                .isTrue();
    }

    static long openFiles() {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void movesNothingAndComplainsOfNothingBeforeAnybodyConnectsAndAfter() {
        FrameBatch batch = new FrameBatch(4);
        back.pool().allocate(batch, 1);
        batch.frame(0).length(60);
        for (int session = 0; session < 2; session++) {
            assertThat(back.linkState().up()).isFalse();
            assertThat(back.rxQueue(0).receive(batch)).isZero();
            assertThat(back.txQueue(0).send(batch)).isZero();
            assertThat(batch.size()).isOne();
            try (Nic front = Nic.open("vhost-user:" + path)) {
                back.awaitLink(VhostUserNicTest.SOON);
                assertThat(front.linkState().up()).isTrue();
            }
            VhostUserNicTest.waitFor(back, false);
        }
        assertThat(back.statistics().details()).containsEntry("sessions", 2L);
        batch.release();
    }

    // ---- The socket's file

    @Test
    void refusesASocketThatSomebodyListensOn() {
        assertThatThrownBy(() -> Nic.open("vhost-user-backend:" + path))
                .isInstanceOf(DoorbellException.class)
                .hasMessage("cannot listen at " + path
                        + ": a process listens there already; end it, or choose another path");
    }

    @Test
    void replacesASocketThatADeadProcessLeft() {
        String left = dir.resolve("left.sock").toString();
        UnixSocket.listen(Kernel.linux(), left).close();
        assertThat(Path.of(left)).exists();
        try (Nic second = Nic.open("vhost-user-backend:" + left)) {
            assertThat(second.linkState().up()).isFalse();
        }
        assertThat(Path.of(left)).doesNotExist();
    }

    @Test
    void leavesFilesAloneThatAreNoSockets() throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "precious");
        assertThatThrownBy(() -> Nic.open("vhost-user-backend:" + file))
                .hasMessageContaining("there is a file already, which is no socket");
        assertThat(file).hasContent("precious");
    }

    // ---- The name

    @ParameterizedTest
    @CsvSource({
        "vhost-user-backend:, lacks the path of a socket",
        "vhost-user:, lacks the path of a socket",
        "'vhost-user-backend:/x,queues=0', N from 1 to 64",
        "'vhost-user-backend:/x,speed=9', 'cannot be understood'"
    })
    void saysWhatIsWrongWithAName(String name, String words) {
        assertThatThrownBy(() -> Nic.open(name))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(words);
    }

    // ---- Front-ends and what they may meet

    @Test
    void aFrontEndSaysWhenThereIsNoBackEnd() throws IOException {
        String none = dir.resolve("none.sock").toString();
        assertThatThrownBy(() -> Nic.open("vhost-user:" + none))
                .hasMessage("cannot reach a vhost-user back-end at " + none
                        + ": ENOENT (No such file or directory); start the back-end first, with this path as its"
                        + " socket");
        UnixSocket.listen(Kernel.linux(), none).close();
        assertThatThrownBy(() -> Nic.open("vhost-user:" + none))
                .hasMessageContaining("ECONNREFUSED")
                .hasMessageEndingWith("nobody listens there any more: start the back-end again");
        assertThatThrownBy(() -> Nic.open("vhost-user:" + dir))
                .hasMessageEndingWith(
                        "; that is a folder and not a socket: name the socket that the back-end listens on");
        Path file = Files.writeString(dir.resolve("file"), "");
        assertThatThrownBy(() -> Nic.open("vhost-user:" + file))
                .hasMessageEndingWith(
                        "; that is a file and not a socket: name the socket that the back-end listens on");
        assertThatThrownBy(() -> Nic.open("vhost-user:" + none + "\0.old"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("has a NUL in it");
    }

    @Test
    void isStoppedWhereItCannotListenAnyMoreAfterAReset() throws Exception {
        Path folder = Files.createDirectory(dir.resolve("gone"));
        try (Nic nic = Nic.open("vhost-user-backend:" + folder.resolve("v.sock"))) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);

            assertThatThrownBy(nic::reset).isInstanceOf(DoorbellException.class).hasMessageContaining("ENOENT");

            FrameBatch batch = new FrameBatch(1);
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch)).hasMessageContaining("is stopped");
            Files.createDirectory(folder);
            nic.start();
            assertThat(nic.rxQueue(0).receive(batch)).isZero();
        }
    }

    @Test
    void doesNotOpenWithAPoolThatIsClosed() {
        FramePool pool = FramePool.create(64, 2048);
        pool.close();
        NicConfig config = NicConfig.defaults().withPool(pool);
        assertThatThrownBy(() -> Nic.open("vhost-user-backend:" + dir.resolve("v.sock"), config))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("with a pool that is closed");
    }

    @ParameterizedTest
    @CsvSource({
        "0x00000001 0x00000005 0x00000008 0x00000000 0x00000000, does not offer VIRTIO_F_VERSION_1",
        "0x00000001 0x00000006 0x00000008 0x00000000 0x00000001, instead of protocol version 1",
        "0x00000002 0x00000005 0x00000008 0x00000000 0x00000001, answered GET_FEATURES with SET_FEATURES",
        "0x00000001 0x00000005 0x7fffffff 0x00000000 0x00000001, payload of 2147483647 bytes",
        "0x48545450 0x312e312f 0x34303020 0x0a0d0a0d 0x00000000, it does not speak vhost-user"
    })
    void aFrontEndSaysWhatIsWrongWithItsBackEnd(String answer, String words) throws InterruptedException {
        String other = dir.resolve("other.sock").toString();
        try (UnixSocket listener = UnixSocket.listen(Kernel.linux(), other);
                PinnedMemory memory = PinnedMemory.allocate(4096)) {
            Thread peer = Thread.ofPlatform().start(() -> {
                try (UnixSocket socket = listener.accept(10_000).orElseThrow()) {
                    String[] numbers = answer.split(" ");
                    for (int i = 0; i < numbers.length; i++) {
                        memory.segment().set(JAVA_INT, 4L * i, Integer.decode(numbers[i]));
                    }
                    socket.send(memory.segment().asSlice(0, 4L * numbers.length), List.of(), 10_000);
                    // until the front-end has gone, and has perhaps left some of this unread
                    BoundedWait.until(() -> (socket.await(0, 0) & Kernel.POLLHUP) != 0, VhostUserNicTest.SOON);
                }
            });
            assertThatThrownBy(() -> Nic.open("vhost-user:" + other))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(words);
            peer.join(10_000);
            assertThat(peer.isAlive()).isFalse();
        }
    }
}
