package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.ability.OffloadControl;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two of QEMU's NICs on a bridge of the host's kernel, which judges what one leaves undone: it completes checksums and
 * cuts frames for a receiver that takes none, and passes them on to one that does.
 */
@Tag("qtest")
@Tag("root")
@ParameterizedClass
@ValueSource(
        strings = {
            "packed=off",
            "packed=off,in_order=on",
            "packed=off,indirect_desc=off",
            "packed=on",
            "packed=on,in_order=on",
            "packed=on,indirect_desc=off",
            "packed=on,in_order=on,indirect_desc=off"
        })
class KernelOffloadTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int MTU = 9000;
    private static final int EVERYTHING = Offloads.NEEDS_CHECKSUM | Offloads.MORE_SEGMENTS | Offloads.SEGMENT;

    /** Why there is no bridge, if there is none. */
    private static Optional<String> obstacle = Optional.empty();

    private final QtestMachine machine;
    private final VirtioNic sender;
    private final FrameBatch out = new FrameBatch(128);
    private final FrameBatch in = new FrameBatch(128);

    KernelOffloadTest(String properties) {
        obstacle.ifPresent(why -> assumeTrue(false, "SKIPPED: the kernel cannot judge offloads, since " + why));
        String[] options = ("disable-legacy=on," + properties).split(",");
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", options)
                .nic("virtio-net-pci", options)
                .bridge(MTU)
                .start();
        sender = open(0, NicConfig.defaults());
        awaitForwarding();
    }

    /** A port of the bridge forwards some time after QEMU has opened its end, and what comes earlier is lost. */
    private void awaitForwarding() {
        int marker = 61;
        try (VirtioNic receiver = receiver(0)) {
            assertThat(BoundedWait.until(() -> sendPlain(receiver, 60) && arrives(receiver, 60), PATIENCE))
                    .as("the bridge forwards")
                    .isTrue();
            sendPlain(receiver, marker);
            assertThat(BoundedWait.until(() -> arrives(receiver, marker), PATIENCE))
                    .as("all of these have arrived")
                    .isTrue();
        }
    }

    private boolean sendPlain(VirtioNic to, int length) {
        Frame frame = add(new byte[length]);
        frame.setMac(0, to.macAddress());
        frame.setMac(6, sender.macAddress());
        send();
        return true;
    }

    private boolean arrives(VirtioNic receiver, int length) {
        receiver.rxQueue(0).receive(in);
        boolean there = !in.isEmpty() && in.frame(in.size() - 1).length() == length;
        in.release();
        return there;
    }

    @BeforeAll
    static void findOut() {
        obstacle = QtestMachine.bridgeObstacle();
    }

    @AfterEach
    void stopMachine() {
        sender.close();
        machine.close();
    }

    private VirtioNic open(int nic, NicConfig config) {
        return VirtioNic.open("nic" + nic, new ModernPciTransport(machine.open(nic)), config);
    }

    private VirtioNic receiver(int receiveOffloads) {
        return open(1, NicConfig.defaults().withReceiveOffloads(receiveOffloads));
    }

    private static byte[] content(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private Packet packet(Packet.Kind kind, int length, int tcpFlags, VirtioNic to) {
        return Packet.unfinished(kind, sender.macAddress(), to.macAddress(), content(length), tcpFlags);
    }

    /** Puts a frame into the batch that is to be sent, into as many slots as it takes; returns its first. */
    private Frame add(byte[] bytes) {
        int room = 2048;
        int first = out.size();
        int slots = (bytes.length + room - 1) / room;
        assertThat(sender.rxQueue(0).pool().allocate(out, slots)).isEqualTo(slots);
        for (int i = 0; i < slots; i++) {
            out.frame(first + i).copyFrom(Arrays.copyOfRange(bytes, i * room, Math.min(bytes.length, (i + 1) * room)));
        }
        out.join(first, slots);
        return out.frame(first);
    }

    private void send() {
        assertThat(BoundedWait.until(
                        () -> {
                            sender.txQueue(0).send(out);
                            return out.isEmpty() && sender.txQueue(0).reclaim() == 0;
                        },
                        PATIENCE))
                .as("all is sent")
                .isTrue();
    }

    private void sendUnfinished(Packet packet) {
        add(packet.bytes()).needsChecksum(packet.checksumStart(), packet.checksumOffset());
        send();
    }

    private void sendToBeCut(Packet packet, int size) {
        Frame frame = add(packet.bytes());
        frame.needsChecksum(packet.checksumStart(), packet.checksumOffset());
        frame.segment(packet.kind().segmentation(), packet.headers(), size);
        send();
    }

    private void receive(VirtioNic nic, int frames) {
        long before = nic.statistics().rxFrames();
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(in);
                            return nic.statistics().rxFrames() - before >= frames;
                        },
                        PATIENCE))
                .as(() -> frames + " frames arrive; " + nic.statistics() + " " + machine.log())
                .isTrue();
    }

    private byte[] received(int index) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = index; i < index + in.slots(index); i++) {
            bytes.writeBytes(in.frame(i).toByteArray());
        }
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @EnumSource
    void completesTheChecksumForAReceiverThatTakesNoOther(Packet.Kind kind) {
        try (VirtioNic receiver = receiver(0)) {
            for (int length : new int[] {1, 2, 99, 1000, 1400}) {
                Packet sent = packet(kind, length, Packet.PSH_ACK, receiver);
                assertThat(sent.isFinished()).isFalse();
                sendUnfinished(sent);
                receive(receiver, 1);
                Packet arrived = new Packet(kind, received(0));
                assertThat(in.frame(0).offloads() & Offloads.NEEDS_CHECKSUM).isZero();
                assertThat(arrived.isFinished()).isTrue();
                assertThat(arrived.payload()).isEqualTo(content(length));
                in.release();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void passesOnFramesWithoutAChecksumToAReceiverThatTakesThem(Packet.Kind kind) {
        try (VirtioNic receiver = receiver(Offloads.NEEDS_CHECKSUM)) {
            Packet sent = packet(kind, 500, Packet.PSH_ACK, receiver);
            sendUnfinished(sent);
            receive(receiver, 1);
            Frame frame = in.frame(0);
            assertThat(Offloads.toString(frame.offloads())).isEqualTo("NEEDS_CHECKSUM");
            assertThat(frame.checksumStart()).isEqualTo(sent.checksumStart());
            assertThat(frame.checksumOffset()).isEqualTo(sent.checksumOffset());
            assertThat(frame.toByteArray()).isEqualTo(sent.bytes());
            in.release();
        }
    }

    @ParameterizedTest
    @EnumSource
    void cutsAFrameForAReceiverThatTakesNoLargerOne(Packet.Kind kind) {
        int size = 1300;
        byte[] content = content(30_000);
        try (VirtioNic receiver = receiver(0)) {
            sendToBeCut(packet(kind, content.length, Packet.PSH_ACK | Packet.CWR, receiver), size);
            int pieces = (content.length + size - 1) / size;
            receive(receiver, pieces);
            assertThat(in.size()).isEqualTo(pieces);
            for (int i = 0; i < pieces; i++) {
                Packet piece = new Packet(kind, received(i));
                assertThat(piece.isFinished()).as("piece %d", i).isTrue();
                assertThat(piece.payload())
                        .isEqualTo(Arrays.copyOfRange(content, i * size, Math.min(content.length, (i + 1) * size)));
                if (!kind.isUdp()) {
                    assertThat(piece.tcpPosition()).isEqualTo(i * size);
                    int expected = (i == 0 ? Packet.CWR : 0) | (i == pieces - 1 ? Packet.PSH_ACK : 0x10);
                    assertThat(piece.tcpFlags()).isEqualTo(expected);
                }
            }
            in.release();
        }
    }

    @ParameterizedTest
    @EnumSource
    void passesOnALargeFrameToAReceiverThatTakesItAndCanSendItOn(Packet.Kind kind) {
        byte[] content = content(61_000);
        try (VirtioNic receiver = receiver(EVERYTHING)) {
            Packet sent = packet(kind, content.length, Packet.PSH_ACK | Packet.CWR, receiver);
            sendToBeCut(sent, 1400);
            receive(receiver, 1);
            Frame first = in.frame(0);
            assertThat(Offloads.toString(first.offloads())).isEqualTo("NEEDS_CHECKSUM SEGMENT MORE_SEGMENTS");
            assertThat(first.segmentation()).isEqualTo(kind.segmentation());
            assertThat(first.segmentSize()).isEqualTo(1400);
            assertThat(first.segmentHeader()).isEqualTo(sent.headers());
            assertThat(received(0)).isEqualTo(sent.bytes());

            // Back to where it came from, which takes no large ones.
            first.swapMacs();
            receiver.txQueue(0).send(in);
            assertThat(in.isEmpty()).isTrue();
            int pieces = (content.length + 1399) / 1400;
            receive(sender, pieces);
            ByteArrayOutputStream payload = new ByteArrayOutputStream();
            for (int i = 0; i < in.size(); i++) {
                Packet piece = new Packet(kind, received(i));
                assertThat(piece.isFinished()).isTrue();
                payload.writeBytes(piece.payload());
            }
            assertThat(payload.toByteArray()).isEqualTo(content);
            in.release();
        }
    }

    @Test
    void turnsOffloadsOffAndOnWhileItRuns() {
        byte[] content = content(8000);
        try (VirtioNic receiver = receiver(EVERYTHING)) {
            receiver.ability(OffloadControl.class).receiveOffloads(Offloads.MORE_SEGMENTS);
            for (int start = 0; start < 2; start++) {
                sendToBeCut(packet(Packet.Kind.TCP4, content.length, Packet.PSH_ACK, receiver), 1000);
                receive(receiver, 8);
                assertThat(in.size()).isEqualTo(8);
                assertThat(new Packet(Packet.Kind.TCP4, received(0)).isFinished())
                        .isTrue();
                in.release();
                // What was chosen outlives the device's memory of it.
                receiver.stop();
                receiver.start();
            }
            receiver.ability(OffloadControl.class).receiveOffloads(EVERYTHING);
            Packet sent = packet(Packet.Kind.TCP4, content.length, Packet.PSH_ACK, receiver);
            sendToBeCut(sent, 1000);
            receive(receiver, 1);
            assertThat(received(0)).isEqualTo(sent.bytes());
            in.release();
        }
    }

    @Test
    void turnsOnNothingThatItWasNotOpenedWith() {
        try (VirtioNic receiver = receiver(Offloads.NEEDS_CHECKSUM)) {
            assertThatThrownBy(() -> receiver.ability(OffloadControl.class).receiveOffloads(EVERYTHING))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("cannot turn on SEGMENT MORE_SEGMENTS")
                    .hasMessageContaining("NicConfig.withReceiveOffloads");
            assertThatThrownBy(() -> sender.ability(OffloadControl.class).receiveOffloads(0))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("there is nothing to be turned on and off");
        }
    }

    @Test
    void exchangesJumboFramesOverSeveralBuffers() {
        try (VirtioNic receiver = receiver(Offloads.MORE_SEGMENTS)) {
            List<byte[]> contents = new ArrayList<>();
            for (int length : new int[] {60, 2035, 2036, 2037, 2048, 2060, 2061, 4096, 8999, MTU + 14}) {
                byte[] bytes = content(length);
                System.arraycopy(macs(receiver), 0, bytes, 0, 14);
                contents.add(bytes);
                add(bytes);
            }
            send();
            receive(receiver, contents.size());
            int at = 0;
            for (byte[] content : contents) {
                assertThat(received(at)).isEqualTo(content);
                at += in.slots(at);
            }
            assertThat(receiver.statistics().rxErrors()).isZero();
            in.release();
        }
    }

    /** The first 14 bytes of a frame of no known protocol. */
    private byte[] macs(VirtioNic to) {
        byte[] bytes = Arrays.copyOf(packet(Packet.Kind.UDP4, 1, 0, to).bytes(), 14);
        bytes[12] = (byte) 0x88;
        bytes[13] = (byte) 0xb5;
        return bytes;
    }
}
