package io.doorbell.virtio.vhost.backend;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.vhost.VhostDisconnected;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRegion;
import io.doorbell.virtio.vhost.VhostRequest;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Front-ends that do what the protocol forbids: each loses its own session, and the next one is served. */
class VhostHostileFrontEndTest {

    private static final int RECEIVE = RawFrontEnd.RECEIVE;
    private static final int TRANSMIT = RawFrontEnd.TRANSMIT;

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

    private RawFrontEnd connect(Feature... features) {
        return new RawFrontEnd(path, features);
    }

    private static void isDisconnected(RawFrontEnd front) {
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100; i++) {
                        front.sync();
                    }
                })
                .isInstanceOf(VhostDisconnected.class);
    }

    /** Frames pass both ways with a front-end that behaves. */
    private void theNextOneIsServed() {
        FrameBatch batch = new FrameBatch(8);
        try (RawFrontEnd next = connect().start()) {
            next.sendFrame(7);
            assertThat(BoundedWait.until(() -> back.rxQueue(0).receive(batch) == 1, VhostUserNicTest.SOON))
                    .isTrue();
            assertThat(batch.frame(0).toByteArray()).hasSize(60).containsOnly(7);
            next.describe(RECEIVE, 0, RawFrontEnd.FRAMES, 2048, RawFrontEnd.WRITE, 0);
            next.makeAvailable(RECEIVE, 0);
            assertThat(back.txQueue(0).send(batch)).isOne();
            assertThat(next.used(RECEIVE)).isOne();
        }
    }

    private void receiveIsRefusedWith(String words) {
        assertThatThrownBy(() -> back.rxQueue(0).receive(new FrameBatch(8)))
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining(words)
                .hasMessageEndingWith("it is disconnected");
        assertThat(BoundedWait.until(() -> !back.linkState().up(), VhostUserNicTest.SOON))
                .isTrue();
        assertThat(back.rxQueue(0).receive(new FrameBatch(8))).isZero();
    }

    // ---- Messages

    @ParameterizedTest
    @EnumSource(VhostRequest.class)
    void sendsRepliesThatNobodyAskedFor(VhostRequest request) {
        try (RawFrontEnd front = connect()) {
            front.connection.send(request, VhostMessage.REPLY, VhostMessage.empty(), List.of());
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    @Test
    void sendsMoreFilesThanAMessageMayHave() {
        try (RawFrontEnd front = connect()) {
            front.sync();
            long before = VhostBackendTest.openFiles();
            try (UnixSocket socket = UnixSocket.connect(front.kernel, path)) {
                // It is served next, with a message in single bytes that bring two files each.
                front.connection.close();
                ByteBuffer message = VhostMessage.bytes(VhostMessage.HEADER)
                        .putInt(VhostRequest.SET_OWNER.number())
                        .putInt(VhostMessage.VERSION)
                        .putInt(0)
                        .flip();
                try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
                    for (int i = 0; i < VhostMessage.HEADER; i++) {
                        java.lang.foreign.MemorySegment one = arena.allocate(1);
                        one.set(JAVA_BYTE, 0, message.get(i));
                        try {
                            socket.send(one, List.of(front.ringFile, front.frameFile), 10_000);
                        } catch (RuntimeException e) {
                            break; // it has hung up
                        }
                    }
                    assertThat(BoundedWait.until(
                                    () -> (socket.await(0, 0) & Kernel.POLLHUP) != 0, VhostUserNicTest.SOON))
                            .isTrue();
                }
            }
            assertThat(BoundedWait.until(() -> VhostBackendTest.openFiles() <= before, VhostUserNicTest.SOON))
                    .isTrue();
        } catch (IllegalStateException e) {
            // closed already
        }
        theNextOneIsServed();
    }

    @Test
    void takesTheRingsPageAwayBeforeTheRingStarts() {
        try (RawFrontEnd front = connect()) {
            front.describeQueue(TRANSMIT);
            front.sync();
            front.kernel.ftruncate(front.ringFile, 0);
            front.kick(TRANSMIT);
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    @Test
    void isToldWhatFailedBeforeItIsDisconnected() {
        try (RawFrontEnd front = connect()) {
            front.send(VhostRequest.SET_PROTOCOL_FEATURES, VhostMessage.number(VhostProtocol.REPLY_ACK));
            ByteBuffer answer = front.connection.ask(
                    VhostRequest.SET_VRING_NUM,
                    VhostMessage.NEED_REPLY,
                    VhostMessage.state(TRANSMIT, 0),
                    List.of(),
                    Long.BYTES);
            assertThat(answer.getLong(0)).isNotZero();
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    /** A file without pages costs the front-end nothing, and the addresses that it takes are the whole process's. */
    @Test
    void sharesMoreThanAProcessCanAddress() {
        try (RawFrontEnd front = connect()) {
            int sparse = front.kernel.memfdCreate("sparse", Kernel.MFD_CLOEXEC);
            front.kernel.ftruncate(sparse, 1L << 44);
            try {
                for (int i = 1; i <= 7; i++) {
                    long address = RawFrontEnd.FRAMES + (long) i * RawFrontEnd.REGION;
                    front.share(new VhostRegion(address, RawFrontEnd.REGION, address, 0), sparse);
                }
            } catch (VhostDisconnected e) {
                // It was one of the first that was too much.
            }
            front.kernel.close(sparse);
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    // ---- Descriptors of files

    @Test
    void givesACallDescriptorThatCannotBeWritten() {
        try (RawFrontEnd front = connect().start()) {
            int readOnly = front.kernel.open("/dev/null", Kernel.O_CLOEXEC);
            front.send(VhostRequest.SET_VRING_CALL, VhostMessage.number(TRANSMIT), readOnly);
            front.sync();
            front.kernel.close(readOnly);
            front.sendFrame(1);
            receiveIsRefusedWith("cannot be told of what was used: write failed: EBADF");
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    @Test
    void givesAnErrorDescriptorThatCannotBeWritten() {
        try (RawFrontEnd front = connect().start()) {
            int readOnly = front.kernel.open("/dev/null", Kernel.O_CLOEXEC);
            front.send(VhostRequest.SET_VRING_ERR, VhostMessage.number(TRANSMIT), readOnly);
            front.sync();
            front.kernel.close(readOnly);
            front.makeAvailable(TRANSMIT, RawFrontEnd.SIZE);
            receiveIsRefusedWith("descriptor 8 of 8");
            isDisconnected(front);
        }
        theNextOneIsServed();
    }

    // ---- Rings

    /** A table of descriptors without bytes in the second region, each of which but the last has NEXT. */
    private static void writeEmptyTable(RawFrontEnd front, int descriptors) {
        for (int i = 0; i < descriptors; i++) {
            boolean last = i == descriptors - 1;
            RawFrontEnd.describe(
                    front.frames,
                    16L * i,
                    RawFrontEnd.FRAMES,
                    0,
                    front.packed,
                    last || front.packed ? 0 : RawFrontEnd.NEXT,
                    front.packed ? 0 : i + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void chainsATableToOtherDescriptors(boolean packed) {
        try (RawFrontEnd front = packed
                ? connect(Feature.VIRTIO_F_INDIRECT_DESC, Feature.VIRTIO_F_RING_PACKED)
                : connect(Feature.VIRTIO_F_INDIRECT_DESC)) {
            front.start();
            writeEmptyTable(front, 2);
            int available = packed ? RawFrontEnd.PACKED_AVAILABLE : 0;
            front.describe(TRANSMIT, 1, RawFrontEnd.FRAMES, 72, available, 1);
            int flags = RawFrontEnd.INDIRECT | RawFrontEnd.NEXT | available;
            front.describe(TRANSMIT, 0, RawFrontEnd.FRAMES, 32, flags, 1);
            if (!packed) {
                front.makeAvailable(TRANSMIT, 0);
            }
            receiveIsRefusedWith("a table of indirect descriptors within a chain");
        }
        theNextOneIsServed();
    }

    /** In the packed layout a table stands alone (2.8.19); in the split one it may come last (2.7.5.3.2). */
    @Test
    void putsATableAtTheEndOfAPackedChain() {
        try (RawFrontEnd front = connect(Feature.VIRTIO_F_INDIRECT_DESC, Feature.VIRTIO_F_RING_PACKED)) {
            front.start();
            writeEmptyTable(front, 2);
            int available = RawFrontEnd.PACKED_AVAILABLE;
            front.describe(TRANSMIT, 1, RawFrontEnd.FRAMES, 32, available | RawFrontEnd.INDIRECT, 1);
            front.describe(TRANSMIT, 0, RawFrontEnd.FRAMES, 72, available | RawFrontEnd.NEXT, 1);
            receiveIsRefusedWith("a table of indirect descriptors within a chain");
        }
        theNextOneIsServed();
    }

    @Test
    void hasMoreDescriptorsWithoutBytesThanAFrameCanHave() {
        try (RawFrontEnd front = connect(Feature.VIRTIO_F_INDIRECT_DESC).start()) {
            writeEmptyTable(front, ScatterList.MOST_PARTS);
            front.describe(TRANSMIT, 0, RawFrontEnd.FRAMES, 0, RawFrontEnd.NEXT, 1);
            int bytes = 16 * ScatterList.MOST_PARTS;
            front.describe(TRANSMIT, 1, RawFrontEnd.FRAMES, bytes, RawFrontEnd.INDIRECT, 0);
            front.makeAvailable(TRANSMIT, 0);
            receiveIsRefusedWith("a buffer in more than " + ScatterList.MOST_PARTS + " pieces");
        }
        theNextOneIsServed();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void occupiesAPollForABoundedTime(boolean packed) {
        try (RawFrontEnd front = packed
                ? connect(Feature.VIRTIO_F_INDIRECT_DESC, Feature.VIRTIO_F_RING_PACKED)
                : connect(Feature.VIRTIO_F_INDIRECT_DESC)) {
            front.start();
            writeEmptyTable(front, ScatterList.MOST_PARTS);
            int flags = RawFrontEnd.INDIRECT | (packed ? RawFrontEnd.PACKED_AVAILABLE : 0);
            for (int i = 0; i < RawFrontEnd.SIZE; i++) {
                front.describe(TRANSMIT, i, RawFrontEnd.FRAMES, 16 * ScatterList.MOST_PARTS, flags, i);
                if (!packed) {
                    front.makeAvailable(TRANSMIT, i);
                }
            }
            FrameBatch batch = new FrameBatch(64);
            assertThat(back.rxQueue(0).receive(batch)).isZero();
            long first = back.statistics().rxErrors();
            assertThat(first).isBetween(1L, 5L);
            back.rxQueue(0).receive(batch);
            assertThat(back.statistics().rxErrors()).isEqualTo(RawFrontEnd.SIZE);
        }
    }

    // ---- Memory that comes and goes

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void takesMemoryFromUnderARingAndGivesItBack(boolean packed) {
        FrameBatch batch = new FrameBatch(8);
        List<Byte> marks = new ArrayList<>();
        try (RawFrontEnd front = packed ? connect(Feature.VIRTIO_F_RING_PACKED) : connect()) {
            front.start();
            for (int round = 1; round <= 5; round++) {
                front.sendFrame(round);
                front.withdraw(front.ringRegion);
                front.sync();
                assertThat(back.rxQueue(0).receive(batch)).isZero();
                assertThat(back.linkState().up()).isFalse();
                front.withdraw(front.frameRegion);
                front.share(front.frameRegion, front.frameFile);
                front.sync();
                assertThat(back.rxQueue(0).receive(batch)).isZero();
                front.share(front.ringRegion, front.ringFile);
                front.sync();
                assertThat(back.linkState().up()).isTrue();
                assertThat(back.rxQueue(0).receive(batch)).isOne();
                marks.add(batch.frame(0).getByte(20));
                batch.release();
            }
        }
        assertThat(marks).containsExactly((byte) 1, (byte) 2, (byte) 3, (byte) 4, (byte) 5);
    }

    private static ByteBuffer table(VhostRegion... regions) {
        ByteBuffer payload = VhostMessage.bytes(8 + regions.length * VhostRegion.BYTES)
                .putInt(regions.length)
                .putInt(0);
        for (VhostRegion region : regions) {
            region.write(payload);
        }
        return payload;
    }

    @Test
    void takesMemoryFromUnderARingByAnotherTable() {
        FrameBatch batch = new FrameBatch(8);
        try (RawFrontEnd front = connect().start()) {
            front.sendFrame(3);
            front.send(VhostRequest.SET_MEM_TABLE, table(front.frameRegion), front.frameFile);
            front.sync();
            assertThat(back.rxQueue(0).receive(batch)).isZero();
            front.send(
                    VhostRequest.SET_MEM_TABLE,
                    table(front.frameRegion, front.ringRegion),
                    front.frameFile,
                    front.ringFile);
            front.sync();
            assertThat(back.rxQueue(0).receive(batch)).isOne();
            assertThat(batch.frame(0).getByte(20)).isEqualTo((byte) 3);
            batch.release();
        }
    }

    // ---- What it is told of frames

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hearsOfGoodChecksumsIfItWantsTo(boolean wanted) {
        FrameBatch batch = new FrameBatch(8);
        try (RawFrontEnd front = wanted ? connect(Feature.VIRTIO_NET_F_GUEST_CSUM) : connect()) {
            front.start();
            front.describe(RECEIVE, 0, RawFrontEnd.FRAMES, 2048, RawFrontEnd.WRITE, 0);
            front.makeAvailable(RECEIVE, 0);
            back.rxQueue(0).pool().allocate(batch, 1);
            batch.frame(0).length(60);
            batch.frame(0).addOffloads(Offloads.CHECKSUM_GOOD);
            assertThat(back.txQueue(0).send(batch)).isOne();
            assertThat(front.used(RECEIVE)).isOne();
            assertThat(front.frames.get(JAVA_BYTE, NetHeader.FLAGS))
                    .isEqualTo((byte) (wanted ? NetHeader.DATA_VALID : 0));
            assertThat(front.frames.get(JAVA_SHORT, NetHeader.NUM_BUFFERS)).isEqualTo((short) 1);
        }
    }

    @Test
    void sendsFramesThatAreNone() {
        try (RawFrontEnd front = connect().start()) {
            for (int length : new int[] {0, 1, 11, 12, 25}) {
                front.describe(TRANSMIT, 0, RawFrontEnd.FRAMES, length, 0, 0);
                front.makeAvailable(TRANSMIT, 0);
                assertThat(back.rxQueue(0).receive(new FrameBatch(8))).isZero();
            }
            assertThat(front.used(TRANSMIT)).isEqualTo(5);
            assertThat(back.statistics().rxErrors()).isEqualTo(5);
            assertThat(Collections.singleton(back.linkState().up())).containsOnly(true);
        }
    }
}
