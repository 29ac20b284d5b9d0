package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.pci.PciFunction;
import io.doorbell.qemu.link.HostTap;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.queue.PackedRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.LegacyPciTransport;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several queues of QEMU's virtio-net, with the host's kernel at the other end of the cable. */
@Tag("qtest")
@Tag("root")
class MultiqueueTest {

    enum Device {
        SPLIT(),
        SPLIT_IN_ORDER("in_order=on"),
        PACKED("packed=on"),
        PACKED_IN_ORDER("packed=on", "in_order=on"),
        LEGACY("disable-modern=on", "disable-legacy=off");

        private final List<String> properties;

        Device(String... properties) {
            this.properties = List.of(properties);
        }
    }

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int NIC_PORT = 7000;
    private static final int ETHERNET_BYTES = 14;
    private static final int HEADERS = ETHERNET_BYTES + 20 + 8;

    private QtestMachine machine;
    private HostTap tap;

    @BeforeAll
    static void needsTap() {
        assumeTrue(HostTap.isPossible(), "SKIPPED: a NIC with several queues needs a tap interface, and so root");
    }

    @AfterEach
    void stopMachine() {
        if (machine != null) {
            machine.close();
        }
    }

    private VirtioNic open(Device device, int queues, NicConfig config, String... more) {
        boolean legacy = device == Device.LEGACY;
        List<String> properties = new ArrayList<>(List.of("mac=" + MAC));
        if (!legacy) {
            properties.add("disable-legacy=on");
        }
        properties.addAll(device.properties);
        properties.addAll(List.of(more));
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", properties.toArray(String[]::new))
                .onTap(queues)
                .start();
        tap = machine.tap(0);
        PciFunction function = machine.open(0);
        return VirtioNic.open(
                "0000:00:04.0", legacy ? new LegacyPciTransport(function) : new ModernPciTransport(function), config);
    }

    /** A port of the host on the tap interface. */
    private DatagramSocket host() throws IOException {
        DatagramSocket socket = new DatagramSocket(new InetSocketAddress(tap.hostAddress(), 0));
        socket.setSoTimeout((int) PATIENCE.toMillis());
        return socket;
    }

    private void sendFromHost(DatagramSocket socket, int number) throws IOException {
        byte[] payload = ByteBuffer.allocate(30).putInt(number).array();
        socket.send(new DatagramPacket(payload, payload.length, InetAddress.getByName(tap.nicAddress()), NIC_PORT));
    }

    /** Sends a datagram with a number in it to a port of the host. */
    private void sendToHost(VirtioNic nic, int pair, int port, int number) throws IOException {
        FrameBatch batch = new FrameBatch(1);
        nic.rxQueue(pair).pool().allocate(batch, 1);
        Frame frame = batch.frame(0);
        frame.copyFrom(datagram(port, number));
        assertThat(nic.txQueue(pair).send(batch)).isEqualTo(1);
    }

    private byte[] datagram(int port, int number) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(HEADERS + 30);
        // To the interface's address, which nobody has looked up: as a broadcast, which is for it too.
        bytes.putShort((short) 0xffff).putInt(0xffff_ffff);
        bytes.putShort((short) (MAC.value() >>> 32)).putInt((int) MAC.value());
        bytes.putShort((short) 0x0800);
        ByteBuffer ip = bytes.slice(ETHERNET_BYTES, 20);
        ip.put((byte) 0x45).put((byte) 0).putShort((short) (20 + 8 + 30)).putInt(0);
        ip.put((byte) 64).put((byte) 17).putShort((short) 0);
        ip.put(InetAddress.getByName(tap.nicAddress()).getAddress());
        ip.put(InetAddress.getByName(tap.hostAddress()).getAddress());
        ip.putShort(10, (short) checksum(ip));
        bytes.position(ETHERNET_BYTES + 20);
        bytes.putShort((short) NIC_PORT).putShort((short) port).putShort((short) (8 + 30));
        bytes.putShort((short) 0); // no checksum: IPv4 allows that
        return bytes.putInt(number).array();
    }

    private static int checksum(ByteBuffer header) {
        int sum = 0;
        for (int i = 0; i < 20; i += 2) {
            sum += header.getShort(i) & 0xffff;
        }
        return ~((sum & 0xffff) + (sum >>> 16));
    }

    private static boolean isUdp(Frame frame) {
        return frame.length() >= HEADERS + 4 && frame.getShort(12) == 0x0800 && frame.getByte(23) == 17;
    }

    /** The numbers in the datagrams that arrive, each with its queue, until there are so many. */
    private static Map<Integer, Integer> queuesOf(VirtioNic nic, int frames) {
        Map<Integer, Integer> queues = new HashMap<>();
        FrameBatch batch = new FrameBatch(8);
        boolean all = BoundedWait.until(
                () -> {
                    for (int pair = 0; pair < nic.queues(); pair++) {
                        nic.rxQueue(pair).receive(batch);
                        for (int i = 0; i < batch.size(); i++) {
                            if (isUdp(batch.frame(i))) {
                                queues.put(batch.frame(i).getInt(HEADERS), pair);
                            }
                        }
                        batch.release();
                    }
                    return queues.size() >= frames;
                },
                PATIENCE);
        assertThat(all).as("%d of %d arrive", queues.size(), frames).isTrue();
        return queues;
    }

    /** What the device is to hash of a datagram from the host. */
    private int hash(Rss rss, DatagramSocket from) throws IOException {
        byte[] input = ByteBuffer.allocate(12)
                .put(InetAddress.getByName(tap.hostAddress()).getAddress())
                .put(InetAddress.getByName(tap.nicAddress()).getAddress())
                .putShort((short) from.getLocalPort())
                .putShort((short) NIC_PORT)
                .array();
        return Toeplitz.hash(rss.key(), input);
    }

    @ParameterizedTest
    @EnumSource
    void sendsOnEachQueueAndReceivesTheAnswersWhereItSent(Device device) throws IOException {
        try (VirtioNic nic = open(device, 3, NicConfig.defaults().withQueues(3), "mq=on")) {
            assertThat(nic.queues()).isEqualTo(3);
            for (int pair = 2; pair >= 0; pair--) {
                try (DatagramSocket host = host()) {
                    for (int round = 0; round < 3; round++) {
                        int number = 100 * pair + round;
                        sendToHost(nic, pair, host.getLocalPort(), number);
                        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
                        host.receive(packet);
                        assertThat(ByteBuffer.wrap(packet.getData()).getInt()).isEqualTo(number);
                        sendFromHost(host, number);
                        assertThat(queuesOf(nic, 1)).containsEntry(number, pair);
                    }
                }
            }
            NicStatistics counted = nic.statistics();
            assertThat(counted.txFrames()).isEqualTo(9);
            for (int pair = 0; pair < 3; pair++) {
                assertThat(counted.details()).containsEntry("tx[" + pair + "].frames", 3L);
            }
            assertThat(machine.log()).doesNotContain("virtio");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED", "LEGACY"})
    void leavesQueuesThatWereNotAskedFor(Device device) throws IOException {
        for (int queues = 1; queues <= 2; queues++) {
            try (VirtioNic nic = open(device, 4, NicConfig.defaults().withQueues(queues), "mq=on");
                    DatagramSocket host = host()) {
                assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_MQ)).isEqualTo(queues > 1);
                // The control queue is found, wherever it is.
                nic.promiscuous(true);
                for (int number = 0; number < 10; number++) {
                    sendFromHost(host, number);
                }
                assertThat(queuesOf(nic, 10))
                        .containsOnlyKeys(IntStream.range(0, 10).boxed().toList());
            } finally {
                machine.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = "LEGACY", mode = EnumSource.Mode.EXCLUDE) // to which RSS is unknown
    void putsEachFlowIntoTheQueueThatItsHashSays(Device device) throws IOException {
        try (VirtioNic nic = open(device, 4, NicConfig.defaults().withQueues(4), "mq=on", "rss=on")) {
            assertThat(nic.ability(RssControl.class).rss()).isEqualTo(Rss.over(4));
            judgeQueues(nic, Rss.over(4));
            Rss other = Rss.over(4).withTable(3, 3, 1, 3, 0, 3, 1, 1).withKey(anotherKey());
            nic.ability(RssControl.class).rss(other);
            assertThat(nic.ability(RssControl.class).rss()).isEqualTo(other);
            judgeQueues(nic, other);
            // The device forgets, the driver does not.
            nic.stop();
            nic.start();
            judgeQueues(nic, other);
        }
    }

    private static byte[] anotherKey() {
        byte[] key = new byte[40];
        new Random(7).nextBytes(key);
        return key;
    }

    private void judgeQueues(VirtioNic nic, Rss rss) throws IOException {
        List<DatagramSocket> flows = new ArrayList<>();
        Map<Integer, Integer> expected = new HashMap<>();
        try {
            for (int number = 0; number < 24; number++) {
                DatagramSocket host = host();
                flows.add(host);
                expected.put(number, rss.queue(hash(rss, host)));
                sendFromHost(host, number);
            }
            assertThat(queuesOf(nic, 24)).isEqualTo(expected);
        } finally {
            flows.forEach(DatagramSocket::close);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "LEGACY", mode = EnumSource.Mode.EXCLUDE)
    void reportsTheHashThatChoseTheQueue(Device device) throws IOException {
        NicConfig config = NicConfig.defaults().withQueues(2).withRss(Rss.over(2));
        try (VirtioNic nic = open(device, 2, config, "mq=on", "rss=on", "hash=on");
                DatagramSocket host = host()) {
            for (int number = 0; number < 10; number++) {
                // Around the header with a hash, which is longer, frames are sent too.
                sendToHost(nic, number % 2, host.getLocalPort(), number);
                DatagramPacket packet = new DatagramPacket(new byte[100], 100);
                host.receive(packet);
                assertThat(ByteBuffer.wrap(packet.getData()).getInt()).isEqualTo(number);
                sendFromHost(host, number);
                int hash = hash(Rss.over(2), host);
                FrameBatch batch = new FrameBatch(4);
                receive(nic, Rss.over(2).queue(hash), batch);
                assertThat(batch.frame(0).getInt(HEADERS)).isEqualTo(number);
                assertThat(batch.frame(0).offloads()).isEqualTo(Offloads.HASH);
                assertThat(batch.frame(0).hash()).isEqualTo(hash);
                batch.release();
            }
        }
    }

    private static void receive(VirtioNic nic, int pair, FrameBatch batch) {
        assertThat(BoundedWait.until(() -> nic.rxQueue(pair).receive(batch) > 0, PATIENCE))
                .isTrue();
    }

    @Test
    void putsFramesThatAreNotHashedIntoTheFirstQueue() throws IOException {
        try (VirtioNic nic = open(Device.SPLIT, 2, NicConfig.defaults().withQueues(2), "mq=on", "rss=on")) {
            nic.ability(RssControl.class).rss(Rss.over(2).withTable(1).withHashes(Set.of(RssHash.TCP4)));
            try (DatagramSocket host = host()) {
                sendFromHost(host, 7);
                assertThat(queuesOf(nic, 1)).containsEntry(7, 0);
                nic.ability(RssControl.class).rss(Rss.over(2).withTable(1).withHashes(Set.of(RssHash.IPV4)));
                sendFromHost(host, 8);
                assertThat(queuesOf(nic, 1)).containsEntry(8, 1);
            }
        }
    }

    @Test
    void refusesWhatTheDeviceCannotDo() {
        try (VirtioNic nic = open(Device.SPLIT, 2, NicConfig.defaults().withQueues(2), "mq=on", "rss=on")) {
            Rss rss = Rss.over(2);
            assertThatThrownBy(() -> nic.ability(RssControl.class).rss(rss.withTable(0, 2)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("queue 2, only to 0 to 1");
            assertThatThrownBy(() -> nic.ability(RssControl.class).rss(rss.withTable(new int[256])))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("256 entries, only of up to 128");
            assertThatThrownBy(() -> nic.ability(RssControl.class).rss(rss.withKey(new byte[41])))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("41 bytes, only of up to 40");
            assertThat(nic.ability(RssControl.class).rss()).isEqualTo(rss);
        }
    }

    @Test
    void saysThatTheDeviceHasFewerQueuesThanAskedFor() {
        assertThatThrownBy(() -> open(Device.SPLIT, 2, NicConfig.defaults().withQueues(3), "mq=on"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the device has 2 queues in each direction")
                .hasMessageContaining("NicConfig.withQueues asks for 3")
                .hasMessageContaining("queues=3")
                .hasMessageContaining("mq=on");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mq=off", "ctrl_vq=off"})
    void saysWhyTheDeviceHasOneQueue(String property) {
        assertThatThrownBy(() -> open(Device.SPLIT, 2, NicConfig.defaults().withQueues(2), "mq=on", property))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the device has 1 queue in each direction")
                .hasMessageContaining("VIRTIO_NET_F_MQ is not in use");
    }

    @Test
    void saysThatTheDeviceDoesNotHash() {
        NicConfig config = NicConfig.defaults().withQueues(2).withRss(Rss.over(2));
        assertThatThrownBy(() -> open(Device.SPLIT, 2, config, "mq=on"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("VIRTIO_NET_F_RSS is not in use (the device does not offer it)")
                .hasMessageContaining("rss=on");
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void setsOneQueueUpAnewWhileTheOthersGoOn(Device device) throws IOException {
        try (VirtioNic nic = open(device, 2, NicConfig.defaults().withQueues(2), "mq=on", "rss=on");
                DatagramSocket host = host()) {
            for (int pair = 0; pair < 2; pair++) {
                nic.ability(RssControl.class).rss(Rss.over(2).withTable(pair));
                for (int number = 0; number < 5; number++) {
                    sendFromHost(host, number);
                    assertThat(queuesOf(nic, 1)).containsEntry(number, pair);
                }
                nic.ability(QueueReset.class).resetRxQueue(1 - pair);
                nic.ability(QueueReset.class).resetTxQueue(1 - pair);
                for (int number = 10; number < 15; number++) {
                    sendFromHost(host, number);
                    assertThat(queuesOf(nic, 1)).containsEntry(number, pair);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void aQueueThatStoppedIsSetUpAnewWhileAnotherGoesOn(Device device) throws IOException {
        NicConfig config =
                NicConfig.defaults().withQueues(2).withRss(Rss.over(2).withTable(1));
        try (VirtioNic nic = open(device, 2, config, "mq=on", "rss=on");
                DatagramSocket host = host()) {
            FramePool pool = nic.rxQueue(1).pool();
            claimUsed(device, nic.addresses(2), 9999);
            FrameBatch batch = new FrameBatch(4);
            assertThatThrownBy(() -> nic.rxQueue(1).receive(batch))
                    .isInstanceOf(BrokenDeviceException.class)
                    .hasMessageContaining("receive queue 1")
                    .hasMessageContaining("the queue has stopped");
            sendToHost(nic, 0, host.getLocalPort(), 3);
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            host.receive(packet);
            nic.ability(RssControl.class).rss(Rss.over(2).withTable(0));
            sendFromHost(host, 5);
            receive(nic, 0, batch);
            assertThat(batch.frame(0).getInt(HEADERS)).isEqualTo(5);
            batch.release();

            nic.ability(QueueReset.class).resetRxQueue(1);
            nic.ability(RssControl.class).rss(Rss.over(2).withTable(1));
            sendFromHost(host, 6);
            assertThat(queuesOf(nic, 1)).containsEntry(6, 1);
            nic.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
        }
    }

    /** Writes the first used entry of a queue as a device would, for a buffer that there is not. */
    private void claimUsed(Device device, QueueAddresses queue, int id) {
        MemorySegment ram = machine.ram();
        if (device == Device.PACKED) {
            ram.set(
                    ValueLayout.JAVA_LONG,
                    queue.descriptorArea() + 8,
                    PackedRing.USED_AT_FIRST | (long) id << 32 | 100);
        } else {
            ram.set(ValueLayout.JAVA_INT, queue.deviceArea() + 4, id);
            ram.set(ValueLayout.JAVA_INT, queue.deviceArea() + 8, 100);
            ram.set(ValueLayout.JAVA_SHORT, queue.deviceArea() + 2, (short) 1);
        }
    }
}
