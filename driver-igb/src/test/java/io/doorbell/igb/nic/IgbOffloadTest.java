package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.software.Packet;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU's igb does for frames: checksums, segmentation, VLAN tags, and frames that are longer than others. */
@Tag("qtest")
class IgbOffloadTest {

    private static final MacAddress OWN = MacAddress.parse("02:00:00:00:00:01");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int ALL = Offloads.NEEDS_CHECKSUM | Offloads.MORE_SEGMENTS | Offloads.VLAN_TAG;
    private static final int LONGEST = 9724;
    /** Without PSH, which QEMU leaves out of the last segment too. */
    private static final int ACK = 0x10;

    private final FrameBatch batch = new FrameBatch(64);
    private QtestMachine machine;
    private FramePeer peer;
    private IgbNic nic;

    @BeforeEach
    void startMachine() {
        machine = QtestMachine.builder().nic("igb", "mac=" + OWN).virtualTime().start();
        peer = machine.peer(0);
    }

    @AfterEach
    void stopMachine() {
        batch.release();
        FramePool pool = nic.pool();
        nic.stop();
        assertThat(pool.available()).isEqualTo(pool.buffers());
        assertThat(nic.statistics().txErrors()).as("frames that were under way").isZero();
        nic.close();
        machine.close();
    }

    private static Packet packet(boolean ipv4, boolean tcp, int payload) {
        return new Packet(ipv4, tcp, 0, 0, 0, ACK, Arrays.copyOfRange(numbered(14 + payload), 14, 14 + payload));
    }

    /** A frame of so many bytes, of a protocol that nobody knows. */
    private static byte[] numbered(int length) {
        ByteBuffer frame = ByteBuffer.allocate(length);
        frame.putLong(OWN.value() << 16 | 0x0200).putInt(2).putShort((short) 0x88b5);
        for (int i = 0; frame.hasRemaining(); i++) {
            frame.put((byte) (i ^ i >>> 8));
        }
        return frame.array();
    }

    /** The same with a VLAN tag behind the addresses. */
    private static byte[] tagged(byte[] bytes, int tag) {
        ByteBuffer frame = ByteBuffer.allocate(bytes.length + 4);
        frame.put(bytes, 0, 12).putShort((short) 0x8100).putShort((short) tag);
        return frame.put(bytes, 12, bytes.length - 12).array();
    }

    private void open(NicConfig config) {
        QtestPciFunction function = machine.open(0);
        nic = IgbNic.open(
                "0000:00:04.0", function, IgbModel.of(function.id()).orElseThrow(), config.withRingSizes(64, 64));
        nic.awaitLink(PATIENCE);
    }

    private void open(int offloads) {
        open(NicConfig.defaults().withReceiveOffloads(offloads));
    }

    /** Puts a frame into as many slots as it takes. */
    private Frame add(byte[] bytes, int slotSize) {
        int first = batch.size();
        for (int from = 0; from < bytes.length; from += slotSize) {
            Frame slot = nic.pool().allocate(batch);
            assertThat(slot).isNotNull();
            slot.copyFrom(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + slotSize)));
        }
        batch.join(first, batch.size() - first);
        return batch.frame(first);
    }

    private void send() {
        assertThat(BoundedWait.until(
                        () -> {
                            nic.txQueue(0).send(batch);
                            return batch.isEmpty();
                        },
                        PATIENCE))
                .isTrue();
    }

    private byte[] sent() {
        return peer.receive(PATIENCE);
    }

    /** The next frame is in the batch then, with all of its slots. */
    private Frame received(byte[] bytes) {
        peer.send(bytes);
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) > 0, PATIENCE))
                .isTrue();
        byte[] whole = new byte[batch.length(0)];
        int at = 0;
        for (int i = 0; i < batch.size(); i++) {
            byte[] part = batch.frame(i).toByteArray();
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        if ((batch.frame(0).offloads() & Offloads.VLAN_TAG) == 0) {
            assertThat(whole).isEqualTo(bytes);
        }
        return batch.frame(0);
    }

    // ---- Receive

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void looksAtChecksums(boolean ipv4, boolean tcp) {
        open(Offloads.NEEDS_CHECKSUM);
        Packet packet = packet(ipv4, tcp, 100);
        assertThat(received(packet.whole()).offloads()).isEqualTo(Offloads.CHECKSUM_GOOD);
        batch.release();
        byte[] bad = packet.whole();
        bad[bad.length - 1]++;
        assertThat(received(bad).offloads()).isEqualTo(Offloads.CHECKSUM_BAD);
    }

    /** A CRC-32C, and not a sum (RFC 9260, 6.8). */
    @Test
    void looksAtChecksumsOfSctp() {
        open(Offloads.NEEDS_CHECKSUM);
        byte[] whole = sctp();
        assertThat(received(whole).offloads()).isEqualTo(Offloads.CHECKSUM_GOOD);
        batch.release();
        whole[whole.length - 1]++;
        assertThat(received(whole).offloads()).isEqualTo(Offloads.CHECKSUM_BAD);
        batch.release();
    }

    private static byte[] sctp() {
        byte[] ip = packet(true, false, 40).whole();
        ByteBuffer frame = ByteBuffer.allocate(14 + 20 + 12 + 32).put(ip, 0, 34);
        frame.putShort(16, (short) (20 + 12 + 32)).put(23, (byte) 132).putShort(24, (short) 0);
        int sum = 0;
        for (int i = 14; i < 34; i += 2) {
            sum += frame.getShort(i) & 0xffff;
        }
        frame.putShort(24, (short) ~((sum & 0xffff) + (sum >>> 16)));
        frame.putShort(34, (short) 5000).putShort(36, (short) 5001).putInt(38, 77);
        frame.putInt(46, 0x0003_0020).putLong(50, 1).putLong(58, 2).putInt(66, 3); // one chunk with 16 bytes of data
        CRC32C crc = new CRC32C();
        crc.update(frame.array(), 34, frame.capacity() - 34);
        frame.putInt(42, Integer.reverseBytes((int) crc.getValue()));
        return frame.array();
    }

    @Test
    void saysNothingOfChecksumsThatThereAreNotOrThatNobodyAskedFor() {
        open(Offloads.NEEDS_CHECKSUM);
        byte[] arp = packet(true, true, 100).whole();
        arp[13] = 6;
        assertThat(received(arp).offloads()).isZero();
        batch.release();
        nic.close();
        open(0);
        assertThat(received(packet(true, true, 100).whole()).offloads()).isZero();
    }

    @Test
    void stripsTags() {
        open(Offloads.VLAN_TAG);
        byte[] bytes = packet(true, false, 100).whole();
        byte[] tagged = tagged(bytes, 0x6123);
        Frame frame = received(tagged);
        assertThat(frame.offloads()).isEqualTo(Offloads.VLAN_TAG);
        assertThat(frame.vlanTag()).isEqualTo(0x6123);
        assertThat(frame.toByteArray()).isEqualTo(bytes);
        batch.release();
        assertThat(received(bytes).offloads()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1519, 2048, 2049, 4096, 9000, LONGEST})
    void receivesLongFramesInSeveralBuffers(int length) {
        open(Offloads.MORE_SEGMENTS);
        received(numbered(length));
        assertThat(batch.size()).isEqualTo((length + 2047) / 2048);
    }

    @ParameterizedTest
    @ValueSource(ints = {1519, 9000, LONGEST})
    void receivesLongFramesInOneLargeBuffer(int length) {
        open(NicConfig.defaults().withBufferSize(FramePool.HEADROOM + 10 * 1024));
        assertThat(received(numbered(length)).length()).isEqualTo(length);
        assertThat(batch.size()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"0, 1600", "64, 9800"})
    void dropsFramesThatAreTooLong(int offloads, int length) {
        open(offloads);
        peer.send(numbered(length));
        received(numbered(100));
        assertThat(batch.length(0)).isEqualTo(100);
        batch.release();
        assertThat(nic.rxQueue(0).receive(batch)).isZero();
    }

    // ---- Transmit

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void completesChecksums(boolean ipv4, boolean tcp) {
        open(0);
        Packet packet = packet(ipv4, tcp, 1000);
        for (int slotSize : new int[] {2000, 300}) {
            add(packet.undone(), slotSize).needsChecksum(packet.transport(), packet.checksumOffset());
            add(numbered(200), 2000); // one that asks for nothing, behind
            send();
            assertThat(sent()).isEqualTo(packet.whole());
            assertThat(sent()).isEqualTo(numbered(200));
        }
    }

    /** As an acknowledgment of TCP is: what fills it up to the shortest frame is no payload. */
    @ParameterizedTest
    @CsvSource({"true, 0", "true, 1", "true, 5", "false, 0"})
    void completesChecksumsOfShortFrames(boolean tcp, int payload) {
        open(0);
        Packet packet = packet(true, tcp, payload);
        byte[] whole = packet.whole();
        add(packet.undone(), 2000).needsChecksum(packet.transport(), packet.checksumOffset());
        send();
        byte[] sent = sent();
        assertThat(sent).hasSizeGreaterThanOrEqualTo(whole.length).isEqualTo(Arrays.copyOf(whole, sent.length));
    }

    @ParameterizedTest
    @ValueSource(ints = {2000, 50})
    void completesChecksumsOfSctp(int slotSize) {
        open(0);
        byte[] whole = sctp();
        byte[] undone = whole.clone();
        Arrays.fill(undone, 42, 46, (byte) 0);
        add(undone, slotSize).needsCrc32c(34);
        send();
        assertThat(sent()).isEqualTo(whole);
        // Behind a header that the device does not know, the driver does it.
        byte[] strange = undone.clone();
        strange[12] = (byte) 0x99;
        add(strange, slotSize).needsCrc32c(34);
        send();
        System.arraycopy(whole, 42, strange, 42, 4);
        assertThat(sent()).isEqualTo(strange);
    }

    @Test
    void completesChecksumsInSoftwareThatTheDeviceDoesNotKnow() {
        open(0);
        byte[] bytes = numbered(101);
        add(bytes, 2000).needsChecksum(20, 10);
        send();
        byte[] sent = sent();
        int sum = 0;
        for (int i = 20; i < 101; i++) {
            sum += (sent[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
            if (i != 30 && i != 31) {
                assertThat(sent[i]).isEqualTo(bytes[i]);
            }
        }
        // What stood in its place took part in the sum.
        sum += (bytes[30] & 0xff) << 8 | bytes[31] & 0xff;
        assertThat((sum & 0xffff) + (sum >>> 16)).isEqualTo(0xffff);
    }

    @ParameterizedTest
    @CsvSource({"true, 2000", "true, 700", "false, 2000", "false, 9000"})
    void segmentsTcp(boolean ipv4, int slotSize) {
        open(NicConfig.defaults().withBufferSize(FramePool.HEADROOM + 10 * 1024));
        Packet packet = packet(ipv4, true, 20_000);
        Frame frame = add(packet.undone(), slotSize);
        frame.needsChecksum(packet.transport(), packet.checksumOffset());
        frame.segment(ipv4 ? Segmentation.TCP4 : Segmentation.TCP6, packet.headers(), 1400);
        send();
        for (byte[] segment : packet.segments(1400)) {
            assertThat(sent()).isEqualTo(segment);
        }
    }

    @Test
    void insertsTags() {
        open(Offloads.VLAN_TAG);
        Packet packet = packet(true, true, 500);
        for (int tag : new int[] {0x0123, 0x0123, 0xe456}) {
            Frame frame = add(packet.undone(), 2000);
            frame.needsChecksum(packet.transport(), packet.checksumOffset());
            frame.vlanTag(tag);
            add(numbered(100), 2000).vlanTag(tag);
        }
        send();
        for (int tag : new int[] {0x0123, 0x0123, 0xe456}) {
            assertThat(sent()).isEqualTo(tagged(packet.whole(), tag));
            assertThat(sent()).isEqualTo(tagged(numbered(100), tag));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1519, 5000, LONGEST})
    void sendsLongFrames(int length) {
        open(ALL);
        byte[] bytes = numbered(length);
        for (int i = 0; i < 40; i++) { // more than once round the ring
            add(bytes, 2048);
            send();
            assertThat(sent()).isEqualTo(bytes);
        }
    }

    /** As many descriptors as there are, and more: what has no room stays. */
    @Test
    void takesWholeFramesOnly() {
        open(ALL);
        byte[] bytes = numbered(4000);
        for (int i = 0; i < 6; i++) {
            add(bytes, 400);
        }
        assertThat(batch.size()).isEqualTo(60);
        int frames = 0;
        while (!batch.isEmpty()) {
            int slots = nic.txQueue(0).send(batch);
            assertThat(slots % 10).isZero();
            for (int i = 0; i < slots; i += 10) {
                assertThat(sent()).isEqualTo(bytes);
                frames++;
            }
        }
        assertThat(frames).isEqualTo(6);
        assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                .isTrue();
    }

    @Test
    void takesNothingOfABatchWithAFrameThatItCannotSend() {
        open(0);
        Packet packet = packet(true, true, 1000);
        add(packet.undone(), 2000).needsChecksum(packet.transport(), packet.checksumOffset());
        Frame frame = add(packet.undone(), 2000);
        frame.needsChecksum(packet.transport(), packet.checksumOffset());
        frame.segment(Segmentation.TCP6, packet.headers(), 400);
        refuses("TCP6");
        frame.segment(Segmentation.UDP, packet.headers(), 400);
        refuses("UDP");
        frame.segment(Segmentation.TCP4, packet.headers(), 1500);
        refuses("1500 bytes behind a header of 54");
        frame.clearOffloads();
        frame.vlanTag(5);
        refuses("VLAN_TAG, since it was not opened with that");
        frame.clearOffloads();
        send();
        assertThat(sent()).isEqualTo(packet.whole());
        assertThat(sent()).isEqualTo(packet.undone());
    }

    private void refuses(String words) {
        int before = batch.size();
        assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(words);
        assertThat(batch.size()).isEqualTo(before);
    }
}
