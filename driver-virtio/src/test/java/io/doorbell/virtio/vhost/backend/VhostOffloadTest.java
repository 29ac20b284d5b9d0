package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What two processes on one machine can leave undone for each other, over vhost-user, whichever of them sends. */
@ParameterizedClass
@MethodSource("directions")
class VhostOffloadTest {

    private static final int EVERYTHING = Offloads.NEEDS_CHECKSUM | Offloads.MORE_SEGMENTS | Offloads.SEGMENT;

    private final boolean fromFrontEnd;
    private final String[] without;

    @TempDir
    private Path dir;

    VhostOffloadTest(boolean fromFrontEnd, String without) {
        this.fromFrontEnd = fromFrontEnd;
        this.without = without.split(" ");
    }

    static Stream<Arguments> directions() {
        return Stream.of(
                        "VIRTIO_NET_F_STATUS", // packed, in order
                        "VIRTIO_F_IN_ORDER",
                        "VIRTIO_F_RING_PACKED",
                        "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER VIRTIO_F_INDIRECT_DESC",
                        "VIRTIO_F_INDIRECT_DESC")
                .flatMap(without -> Stream.of(Arguments.of(true, without), Arguments.of(false, without)));
    }

    /** Both ends, and what they do with them. */
    private final class Ends implements AutoCloseable {

        final Nic back;
        final Nic front;
        final Nic sender;
        final Nic receiver;
        final FrameBatch out = new FrameBatch(64);
        final FrameBatch in = new FrameBatch(64);

        Ends(int receiveOffloads) {
            NicConfig receiving = NicConfig.defaults().withReceiveOffloads(receiveOffloads);
            NicConfig sending = NicConfig.defaults();
            String path = dir.resolve("vhost.sock").toString();
            back = Nic.open("vhost-user-backend:" + path, fromFrontEnd ? receiving : sending);
            front = Nic.open("vhost-user:" + path, (fromFrontEnd ? sending : receiving).withoutFeatures(without));
            sender = fromFrontEnd ? front : back;
            receiver = fromFrontEnd ? back : front;
            front.awaitLink(VhostUserNicTest.SOON);
            back.awaitLink(VhostUserNicTest.SOON);
        }

        Frame add(byte[] content) {
            int slots = (content.length + 2047) / 2048;
            int first = out.size();
            assertThat(sender.rxQueue(0).pool().allocate(out, slots)).isEqualTo(slots);
            for (int i = 0; i < slots; i++) {
                out.frame(first + i)
                        .copyFrom(Arrays.copyOfRange(content, i * 2048, Math.min(content.length, (i + 1) * 2048)));
            }
            out.join(first, slots);
            return out.frame(first);
        }

        /** Sends what there is and waits for a frame. */
        Frame exchange() {
            assertThat(BoundedWait.until(
                            () -> {
                                sender.txQueue(0).send(out);
                                receiver.rxQueue(0).receive(in);
                                return out.isEmpty() && !in.isEmpty();
                            },
                            VhostUserNicTest.SOON))
                    .as(() -> "a frame arrives: " + sender.statistics() + " " + receiver.statistics())
                    .isTrue();
            return in.frame(0);
        }

        byte[] received() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int i = 0; i < in.slots(0); i++) {
                bytes.writeBytes(in.frame(i).toByteArray());
            }
            return bytes.toByteArray();
        }

        @Override
        public void close() {
            in.release();
            out.release();
            front.close();
            back.close();
        }
    }

    private static byte[] content(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        bytes[34 + 12] = 0x50; // a TCP header without options
        bytes[34 + 13] = 0x10; // and with ACK only
        return bytes;
    }

    @Test
    void passOnThatAChecksumIsToBeCompleted() {
        try (Ends ends = new Ends(Offloads.NEEDS_CHECKSUM)) {
            ends.add(content(700)).needsChecksum(34, 6);
            Frame frame = ends.exchange();
            assertThat(Offloads.toString(frame.offloads())).isEqualTo("NEEDS_CHECKSUM");
            assertThat(frame.checksumStart()).isEqualTo(34);
            assertThat(frame.checksumOffset()).isEqualTo(6);
            assertThat(frame.toByteArray()).isEqualTo(content(700));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1800, 2048, 2061, 30_000, 65_549})
    void passOnFramesLargerThanTheWireTakes(int length) {
        try (Ends ends = new Ends(EVERYTHING)) {
            for (int i = 0; i < 3; i++) {
                Frame sent = ends.add(content(length));
                sent.needsChecksum(34, 16);
                sent.segment(Segmentation.TCP4, 54, 1448);
                Frame frame = ends.exchange();
                assertThat(frame.offloads() & ~Offloads.MORE_SEGMENTS)
                        .isEqualTo(Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT);
                assertThat(frame.segmentation()).isEqualTo(Segmentation.TCP4);
                assertThat(frame.segmentSize()).isEqualTo(1448);
                assertThat(frame.segmentHeader()).isEqualTo(54);
                assertThat(ends.received()).isEqualTo(content(length));
                ends.in.release();
            }
        }
    }

    @Test
    void exchangeJumboFrames() {
        try (Ends ends = new Ends(Offloads.MORE_SEGMENTS)) {
            for (int length = 2030; length < 9018; length += 97) {
                ends.add(content(length));
                ends.exchange();
                assertThat(ends.received()).isEqualTo(content(length));
                ends.in.release();
            }
            assertThat(ends.receiver.statistics().rxErrors()).isZero();
        }
    }

    @Test
    void sayWhatTheOtherSideDoesNotTake() {
        try (Ends ends = new Ends(0)) {
            ends.add(content(700)).needsChecksum(34, 6);
            assertThatThrownBy(() -> ends.sender.txQueue(0).send(ends.out))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("NEEDS_CHECKSUM")
                    .hasMessageContaining(fromFrontEnd ? "VIRTIO_NET_F_CSUM is" : "VIRTIO_NET_F_GUEST_CSUM is")
                    .hasMessageContaining("not in use");
            assertThat(ends.out.size()).isEqualTo(1);
        }
    }
}
