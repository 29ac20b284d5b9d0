package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RssHash;
import io.doorbell.frame.ability.RssControl;
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
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The hashes that QEMU's virtio-net reports with the frames of the host's kernel, beside those that they should have. */
@Tag("qtest")
@Tag("root")
class HashReportTest {

    /** With RSS the key goes to the device by one command, and without by another. */
    enum Device {
        SPLIT("hash=on"),
        SPLIT_RSS("hash=on", "rss=on"),
        PACKED("hash=on", "packed=on"),
        PACKED_RSS_IN_ORDER("hash=on", "rss=on", "packed=on", "in_order=on"),
        PACKED_UNMERGEABLE("hash=on", "rss=on", "packed=on", "mrg_rxbuf=off");

        private final List<String> properties;

        Device(String... properties) {
            this.properties = List.of(properties);
        }
    }

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int PORT = 7000;

    private QtestMachine machine;
    private HostTap tap;

    @BeforeAll
    static void needsTap() {
        assumeTrue(
                HostTap.isPossible(), "SKIPPED: QEMU reports hashes on a tap interface only, for which it takes root");
    }

    private VirtioNic open(Device device, NicConfig config) {
        List<String> properties = new ArrayList<>(List.of("disable-legacy=on", "mac=" + MAC));
        properties.addAll(device.properties);
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", properties.toArray(String[]::new))
                .onTap(1)
                .start();
        tap = machine.tap(0);
        tap.enableIpv6();
        return VirtioNic.open("0000:00:04.0", new ModernPciTransport(machine.open(0)), config);
    }

    @AfterEach
    void stopMachine() {
        if (machine != null) {
            machine.close();
        }
    }

    /** Has the host send a datagram, ask for a connection, and send a ping, by both versions of IP. */
    private void makeTheHostSpeak() throws IOException {
        for (String address : List.of(tap.nicAddress(), tap.nicAddress6())) {
            InetAddress to = InetAddress.getByName(address);
            try (DatagramSocket datagrams = new DatagramSocket()) {
                datagrams.send(new DatagramPacket(new byte[50], 50, to, PORT));
            }
            boolean v4 = address.equals(tap.nicAddress());
            try (SocketChannel connection =
                    SocketChannel.open(v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6)) {
                connection.configureBlocking(false);
                assertThat(connection.connect(new InetSocketAddress(to, PORT))).isFalse();
            }
            assertThat(to.isReachable(1)).isFalse();
        }
    }

    /** Judges each frame that arrives, until one of each kind has. */
    private void judge(VirtioNic nic, Rss rss) throws IOException {
        makeTheHostSpeak();
        FrameBatch batch = new FrameBatch(4);
        Set<RssHash> expected =
                EnumSet.of(RssHash.IPV4, RssHash.TCP4, RssHash.UDP4, RssHash.IPV6, RssHash.TCP6, RssHash.UDP6);
        Map<RssHash, Integer> seen = new EnumMap<>(RssHash.class);
        boolean all = BoundedWait.until(
                () -> {
                    nic.rxQueue(0).receive(batch);
                    for (int i = 0; i < batch.size(); i++) {
                        judge(batch.frame(i), rss);
                        new IpFrame(batch.frame(i).toByteArray())
                                .kind(Rss.over(1))
                                .ifPresent(kind -> seen.merge(kind, 1, Integer::sum));
                    }
                    batch.release();
                    return seen.keySet().containsAll(expected);
                },
                PATIENCE);
        assertThat(all).as("frames of each kind arrive, not only %s", seen).isTrue();
    }

    private static void judge(Frame frame, Rss rss) {
        IpFrame ip = new IpFrame(frame.toByteArray());
        Optional<RssHash> kind = ip.kind(rss);
        assertThat((frame.offloads() & Offloads.HASH) != 0)
                .as("%s is hashed with %s", kind, rss)
                .isEqualTo(kind.isPresent());
        kind.ifPresent(
                hashed -> assertThat(frame.hash()).as("%s with %s", hashed, rss).isEqualTo(ip.hash(rss, hashed)));
    }

    @ParameterizedTest
    @EnumSource
    void comeWithEachFrameOfAKindThatIsHashed(Device device) throws IOException {
        try (VirtioNic nic = open(device, NicConfig.defaults().withRss(Rss.over(1)))) {
            assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_HASH_REPORT)).isTrue();
            judge(nic, Rss.over(1));
            byte[] key = new byte[40];
            new Random(1).nextBytes(key);
            Rss some = Rss.over(1).withKey(key).withHashes(EnumSet.of(RssHash.TCP4, RssHash.UDP6, RssHash.IPV6));
            nic.ability(RssControl.class).rss(some);
            judge(nic, some);
            nic.reset();
            judge(nic, some);
            Rss none = Rss.over(1).withHashes(Set.of());
            nic.ability(RssControl.class).rss(none);
            judge(nic, none);
            assertThat(machine.log()).doesNotContain("virtio");
        }
    }

    @Test
    void comeBesideWhatElseIsSaidOfAFrame() throws IOException {
        NicConfig config = NicConfig.defaults()
                .withRss(Rss.over(1))
                .withReceiveOffloads(Offloads.MORE_SEGMENTS | Offloads.NEEDS_CHECKSUM);
        try (VirtioNic nic = open(Device.PACKED_RSS_IN_ORDER, config)) {
            judge(nic, Rss.over(1));
            // The kernel leaves the checksum of its datagrams undone for a device that takes them so.
            try (DatagramSocket datagrams = new DatagramSocket()) {
                datagrams.send(new DatagramPacket(new byte[50], 50, InetAddress.getByName(tap.nicAddress()), PORT));
            }
            FrameBatch batch = new FrameBatch(4);
            assertThat(BoundedWait.until(
                            () -> {
                                nic.rxQueue(0).receive(batch);
                                boolean found = !batch.isEmpty()
                                        && batch.frame(0).offloads() == (Offloads.HASH | Offloads.NEEDS_CHECKSUM);
                                batch.release();
                                return found;
                            },
                            PATIENCE))
                    .isTrue();
        }
    }

    @Test
    void areLeftUnlessTheyAreAskedFor() {
        try (VirtioNic nic = open(Device.SPLIT_RSS, NicConfig.defaults())) {
            assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_HASH_REPORT)).isFalse();
            assertThat(nic.negotiation().has(Feature.VIRTIO_NET_F_RSS)).isFalse();
            assertThat(nic.negotiation().whyNot(Feature.VIRTIO_NET_F_HASH_REPORT))
                    .contains("NicConfig.withRss");
            assertThat(nic.find(RssControl.class)).isEmpty();
            assertThatThrownBy(() -> nic.ability(RssControl.class).rss(Rss.over(1)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VIRTIO_NET_F_RSS is not in use");
        }
    }
}
