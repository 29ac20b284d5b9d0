package io.doorbell.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TxFramesTest {

    private static final int ROOM = 2048;

    private final TestMemory memory = new TestMemory(1 << 20);
    private final PoolRegistrations pools = new PoolRegistrations(memory);
    private final FramePool pool;
    private final FrameBatch batch = new FrameBatch(1);

    TxFramesTest() {
        pools.create(1, 8, FramePool.HEADROOM + ROOM);
        pool = pools.pool(0);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private static Features features(Feature... features) {
        long mask = Arrays.stream(features).mapToLong(Feature::mask).reduce(0, (a, b) -> a | b);
        return new Features(mask, mask);
    }

    private static Features all() {
        return features(
                Feature.VIRTIO_NET_F_CSUM,
                Feature.VIRTIO_NET_F_HOST_TSO4,
                Feature.VIRTIO_NET_F_HOST_TSO6,
                Feature.VIRTIO_NET_F_HOST_ECN,
                Feature.VIRTIO_NET_F_HOST_USO);
    }

    private TxFrames frames(int header, Features features) {
        return new TxFrames("tx", pools, 1518, header, features);
    }

    private Frame frame(int length) {
        pool.allocate(batch, 1);
        Frame frame = batch.frame(0);
        frame.length(length);
        return frame;
    }

    /** Where the device finds the batch's frame, header first. */
    private long prepare(TxFrames frames) {
        assertThat(frames.prepare(batch, 0, 1)).isOne();
        return frames.addresses[0];
    }

    /** What the device finds in front of the frame. */
    private String header(TxFrames frames) {
        long address = prepare(frames);
        byte[] bytes = memory.segment().asSlice(address, frames.header).toArray(ValueLayout.JAVA_BYTE);
        return HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "10, 00 00 00 00 00 00 00 00 00 00",
        "12, 00 00 00 00 00 00 00 00 00 00 00 00",
    })
    void clearsTheHeaderOfAFrameThatAsksForNothing(int header, String expected) {
        Frame frame = frame(60);
        frame.memory().asSlice(frame.position() - 20, 20).fill((byte) 0xee);
        frame.setLong(0, -1);
        assertThat(header(frames(header, all()))).isEqualTo(expected);
        assertThat(frame.getLong(0)).isEqualTo(-1);
    }

    @Test
    void saysWhereTheChecksumIsToGo() {
        Frame frame = frame(60);
        frame.memory().asSlice(frame.position() - 20, 20).fill((byte) 0xee);
        frame.needsChecksum(34, 6);
        assertThat(header(frames(12, all()))).isEqualTo("01 00 00 00 00 00 22 00 06 00 00 00");
        frame.clearOffloads();
        assertThat(header(frames(12, all()))).isEqualTo("00 00 00 00 00 00 00 00 00 00 00 00");
    }

    @Test
    void leavesTheFrameAloneBehindAHeaderOfALegacyDevice() {
        Frame frame = frame(60);
        frame.setLong(0, 0x1122_3344_5566_7788L);
        frame.needsChecksum(34, 16);
        assertThat(header(frames(10, all()))).isEqualTo("01 00 00 00 00 00 22 00 10 00");
        assertThat(frame.getLong(0)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @ParameterizedTest
    @CsvSource({
        "TCP4, 34, 16, 54, 0x10, 01 01 36 00 b4 05 22 00 10 00 00 00",
        "TCP4, 34, 16, 54, 0x90, 01 81 36 00 b4 05 22 00 10 00 00 00",
        "TCP6, 54, 16, 74, 0x10, 01 04 4a 00 b4 05 36 00 10 00 00 00",
        "TCP6, 54, 16, 74, 0x80, 01 84 4a 00 b4 05 36 00 10 00 00 00",
        "UDP, 34, 6, 42, 0xff, 01 05 2a 00 b4 05 22 00 06 00 00 00",
    })
    void saysHowTheFrameIsToBeCut(
            Segmentation by, int start, int offset, int headers, String tcpFlags, String expected) {
        Frame frame = frame(2000);
        frame.setByte(start + 13, Integer.decode(tcpFlags).byteValue());
        frame.needsChecksum(start, offset);
        frame.segment(by, headers, 1460);
        assertThat(header(frames(12, all()))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 11})
    void makesRoomForTheHeaderWithoutTouchingWhatIsAsked(int headroom) {
        Frame frame = frame(100);
        frame.moveStart(headroom - FramePool.HEADROOM);
        byte[] content = new byte[200];
        new Random(headroom).nextBytes(content);
        frame.copyFrom(content);
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.UDP, 54, 100);
        assertThat(header(frames(12, all()))).isEqualTo("01 05 36 00 64 00 22 00 10 00 00 00");
        assertThat(frame.headroom()).isEqualTo(12);
        assertThat(frame.toByteArray()).isEqualTo(content);
        assertThat(frame.checksumStart()).isEqualTo(34);
        assertThat(frame.segmentHeader()).isEqualTo(54);
    }

    @Test
    void goesOnWithItsPoolAfterItHasRefusedAFrameOfAnother() {
        TxFrames frames = frames(12, all());
        try (FramePool unknown = FramePool.create(1, FramePool.HEADROOM + ROOM)) {
            unknown.allocate(batch, 1);
            batch.frame(0).length(60);
            assertThatThrownBy(() -> prepare(frames)).isInstanceOf(DoorbellException.class);
            batch.release();
        }
        Frame frame = frame(60);
        frame.memory().asSlice(frame.position() - 12, 12).fill((byte) 0xee);
        assertThat(header(frames)).isEqualTo("00 00 00 00 00 00 00 00 00 00 00 00");
    }

    @Test
    void refusesToMakeRoomWhereThereIsNone() {
        Frame frame = frame(60);
        frame.moveStart(-FramePool.HEADROOM);
        frame.length(FramePool.HEADROOM + ROOM);
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.TCP4, 54, 100);
        assertThatThrownBy(() -> prepare(frames(12, all())))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("its buffer has 0 bytes");
    }

    @Test
    void sendsFramesLongerThanTheWireTakesIfTheyAreToBeCut() {
        Frame frame = frame(2000);
        assertThatThrownBy(() -> prepare(frames(12, all()))).hasMessageContaining("14 (an Ethernet header) to 1518");
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.TCP4, 54, 1448);
        assertThat(prepare(frames(12, all()))).isPositive();
    }

    @Test
    void refusesAChecksumThatIsNotWithinTheFrameAnyMore() {
        Frame frame = frame(60);
        frame.needsChecksum(34, 16);
        frame.length(51);
        assertThatThrownBy(() -> prepare(frames(12, all())))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("byte 34 + 16 is not within a frame of 51 bytes");
        frame.length(60);
        frame.moveStart(40);
        assertThatThrownBy(() -> prepare(frames(12, all()))).hasMessageContaining("byte -6 + 16");
    }

    @Test
    void refusesCutsThatCannotBe() {
        Frame frame = frame(60);
        frame.segment(Segmentation.TCP4, 54, 100);
        assertThatThrownBy(() -> prepare(frames(12, all()))).hasMessageContaining("call Frame.needsChecksum too");
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.TCP4, 54, 0x10000);
        assertThatThrownBy(() -> prepare(frames(12, all()))).hasMessageContaining("pieces of 65536 bytes");
        frame.segment(Segmentation.TCP4, 60, 100);
        frame.length(55);
        assertThatThrownBy(() -> prepare(frames(12, all()))).hasMessageContaining("behind a header of 60");
    }

    @ParameterizedTest
    @CsvSource({
        "NONE, VIRTIO_NET_F_CSUM",
        "TCP4, VIRTIO_NET_F_HOST_TSO4",
        "TCP6, VIRTIO_NET_F_HOST_TSO6",
        "UDP, VIRTIO_NET_F_HOST_USO",
        "CWR, VIRTIO_NET_F_HOST_ECN"
    })
    void namesTheFeatureThatItWouldTake(String asked, Feature missing) {
        Frame frame = frame(100);
        frame.needsChecksum(34, 6);
        if (asked.equals("CWR")) {
            frame.setByte(34 + 13, (byte) 0x80);
            frame.segment(Segmentation.TCP4, 54, 10);
        } else if (!asked.equals("NONE")) {
            frame.segment(Segmentation.valueOf(asked), 54, 10);
        }
        Features features = all().without(missing, "a test wants it so");
        assertThatThrownBy(() -> prepare(frames(12, features)))
                .isInstanceOf(DoorbellException.class)
                .hasMessageStartingWith("tx: cannot do for a frame what is asked: ")
                .hasMessageContaining(missing + " is not in use (a test wants it so)")
                .hasMessageContaining(
                        Offloads.toString(asked.equals("NONE") ? Offloads.NEEDS_CHECKSUM : Offloads.SEGMENT));
    }
}
