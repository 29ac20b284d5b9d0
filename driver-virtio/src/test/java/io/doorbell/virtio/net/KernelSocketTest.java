package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.HostTap;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's NIC on a tap interface, and a socket of the host's kernel at its other end. */
@Tag("qtest")
@Tag("root")
@ParameterizedClass
@ValueSource(strings = {"packed=off", "packed=on"})
class KernelSocketTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int ROOM = 2048;

    private final QtestMachine machine;
    private final HostTap tap;
    private final VirtioNic nic;
    private final DatagramSocket socket;
    private final FrameBatch batch = new FrameBatch(64);

    KernelSocketTest(String properties) throws IOException {
        assumeTrue(
                HostTap.isPossible(),
                "SKIPPED: sockets cannot judge offloads, since a tap interface takes the right to configure the network");
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", "disable-legacy=on", properties)
                .onTap(1)
                .start();
        tap = machine.tap(0);
        nic = VirtioNic.open(
                "nic",
                new ModernPciTransport(machine.open(0)),
                NicConfig.defaults().withReceiveOffloads(Offloads.NEEDS_CHECKSUM));
        socket = new DatagramSocket(new InetSocketAddress(tap.hostAddress(), 0));
        socket.setSoTimeout((int) PATIENCE.toMillis());
    }

    @AfterEach
    void close() {
        socket.close();
        nic.close();
        machine.close();
    }

    private static byte[] content(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private MacAddress hostMac() throws IOException {
        return MacAddress.parse(Files.readString(Path.of("/sys/class/net", tap.name(), "address"))
                .strip());
    }

    private Packet datagram(byte[] payload) throws IOException {
        return Packet.unfinished(Packet.Kind.UDP4, nic.macAddress(), hostMac(), payload, 0)
                .between(tap.nicAddress(), tap.hostAddress(), socket.getLocalPort());
    }

    private Frame add(byte[] bytes) {
        int slots = (bytes.length + ROOM - 1) / ROOM;
        assertThat(nic.rxQueue(0).pool().allocate(batch, slots)).isEqualTo(slots);
        for (int i = 0; i < slots; i++) {
            batch.frame(i).copyFrom(Arrays.copyOfRange(bytes, i * ROOM, Math.min(bytes.length, (i + 1) * ROOM)));
        }
        batch.join(0, slots);
        return batch.frame(0);
    }

    private byte[] arrived() throws IOException {
        DatagramPacket datagram = new DatagramPacket(new byte[4000], 4000);
        socket.receive(datagram);
        return Arrays.copyOf(datagram.getData(), datagram.getLength());
    }

    @Test
    void deliversADatagramWhoseChecksumWasLeftToTheDevice() throws IOException {
        Packet packet = datagram(content(777));
        add(packet.bytes()).needsChecksum(packet.checksumStart(), packet.checksumOffset());
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(1);
        assertThat(arrived()).isEqualTo(content(777));
    }

    @Test
    void deliversEachPieceOfALargeFrameAsADatagram() throws IOException {
        assumeTrue(
                nic.negotiation().has(Feature.VIRTIO_NET_F_HOST_USO),
                "SKIPPED: this kernel or QEMU cannot cut UDP (VIRTIO_NET_F_HOST_USO)");
        byte[] content = content(10_500);
        Packet packet = datagram(content);
        Frame frame = add(packet.bytes());
        frame.needsChecksum(packet.checksumStart(), packet.checksumOffset());
        frame.segment(Segmentation.UDP, packet.headers(), 1000);
        assertThat(nic.txQueue(0).send(batch)).isEqualTo(6);
        for (int from = 0; from < content.length; from += 1000) {
            assertThat(arrived()).isEqualTo(Arrays.copyOfRange(content, from, Math.min(content.length, from + 1000)));
        }
    }

    @Test
    void receivesADatagramWhoseChecksumTheKernelLeavesToTheReceiver() throws IOException {
        byte[] content = content(900);
        socket.send(new DatagramPacket(content, content.length, InetAddress.getByName(tap.nicAddress()), 5000));
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) > 0, PATIENCE))
                .isTrue();
        Frame frame = batch.frame(0);
        assertThat(Offloads.toString(frame.offloads())).isEqualTo("NEEDS_CHECKSUM");
        assertThat(frame.checksumStart()).isEqualTo(34);
        assertThat(frame.checksumOffset()).isEqualTo(6);
        Packet packet = new Packet(Packet.Kind.UDP4, frame.toByteArray());
        assertThat(packet.isFinished()).isFalse();
        assertThat(packet.finished().isFinished()).isTrue();
        assertThat(packet.payload()).isEqualTo(content);
        batch.release();
    }
}
