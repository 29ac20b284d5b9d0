package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which frames QEMU's virtio-net passes on after what it was told over its control queue. */
@Tag("qtest")
class ReceiveFilterTest {

    enum Device {
        SPLIT(),
        SPLIT_IN_ORDER("in_order=on"),
        SPLIT_WITHOUT_EVENT_INDEX("event_idx=off"),
        PACKED("packed=on"),
        PACKED_IN_ORDER("packed=on", "in_order=on");

        private final List<String> properties;

        Device(String... properties) {
            this.properties = List.of(properties);
        }
    }

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress FOREIGN = MacAddress.parse("52:54:00:00:00:99");
    private static final MacAddress GROUP = MacAddress.parse("01:00:5e:00:00:fb");
    private static final MacAddress OTHER_GROUP = MacAddress.parse("33:33:00:00:00:01");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int UNTAGGED = -1;

    private QtestMachine machine;
    private FramePeer peer;

    private VirtioNic open(Device device, NicConfig config, String... more) {
        List<String> properties = new ArrayList<>(List.of("disable-legacy=on", "mac=" + MAC));
        properties.addAll(device.properties);
        properties.addAll(List.of(more));
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", properties.toArray(String[]::new))
                .start();
        peer = machine.peer(0);
        return VirtioNic.open("0000:00:04.0", new ModernPciTransport(machine.open(0)), config);
    }

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private void send(MacAddress to, int vlan) {
        ByteBuffer frame = ByteBuffer.allocate(64);
        frame.putShort((short) (to.value() >>> 32)).putInt((int) to.value());
        frame.putShort((short) 0x5254).putInt(0x00654321);
        if (vlan != UNTAGGED) {
            frame.putShort((short) 0x8100).putShort((short) vlan);
        }
        frame.putShort((short) 0x88b5);
        peer.send(frame.array());
    }

    /** Who of these gets through. The wire keeps order, so a broadcast behind them says that all have been through. */
    private List<MacAddress> arriving(VirtioNic nic, MacAddress... destinations) {
        for (MacAddress to : destinations) {
            send(to, UNTAGGED);
        }
        return untilBroadcast(nic);
    }

    private List<MacAddress> untilBroadcast(VirtioNic nic) {
        send(MacAddress.BROADCAST, UNTAGGED);
        List<MacAddress> seen = new ArrayList<>();
        FrameBatch batch = new FrameBatch(8);
        boolean done = BoundedWait.until(
                () -> {
                    nic.rxQueue(0).receive(batch);
                    for (int i = 0; i < batch.size(); i++) {
                        seen.add(batch.frame(i).getMac(0));
                    }
                    batch.release();
                    return seen.contains(MacAddress.BROADCAST);
                },
                PATIENCE);
        assertThat(done).as("the broadcast arrives").isTrue();
        return seen.subList(0, seen.size() - 1);
    }

    @ParameterizedTest
    @EnumSource
    void dropsForeignFramesUntilItIsPromiscuous(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            assertThat(arriving(nic, MAC, FOREIGN, GROUP)).containsExactly(MAC);
            nic.promiscuous(true);
            assertThat(arriving(nic, MAC, FOREIGN, GROUP)).containsExactly(MAC, FOREIGN, GROUP);
            nic.promiscuous(false);
            assertThat(arriving(nic, FOREIGN, MAC, GROUP)).containsExactly(MAC);
            assertThat(machine.log()).doesNotContain("virtio");
        }
    }

    @ParameterizedTest
    @EnumSource
    void goesRoundTheControlRingAgainAndAgain(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            for (int i = 0; i < 100; i++) {
                nic.promiscuous(i % 2 == 0);
                if (i % 10 < 2) {
                    assertThat(arriving(nic, FOREIGN)).hasSize(i % 2 == 0 ? 1 : 0);
                }
            }
            assertThat(nic.statistics().details()).containsEntry("control.commands", 103L);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void remembersWhatItWasToldWhenItIsStartedAgain(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults().withPromiscuous(true))) {
            assertThat(arriving(nic, FOREIGN)).containsExactly(FOREIGN);
            nic.promiscuous(false);
            nic.ability(MacFilter.class).addresses(List.of(GROUP));
            nic.ability(MacFilter.class).macAddress(FOREIGN);
            nic.stop();
            nic.start();
            assertThat(arriving(nic, MAC, FOREIGN, GROUP, OTHER_GROUP)).containsExactly(FOREIGN, GROUP);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void receivesMulticastAsAskedFor(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            nic.ability(MacFilter.class).addresses(List.of(FOREIGN, GROUP));
            assertThat(arriving(nic, FOREIGN, GROUP, OTHER_GROUP)).containsExactly(FOREIGN, GROUP);
            nic.ability(MacFilter.class).allMulticast(true);
            assertThat(arriving(nic, GROUP, OTHER_GROUP)).containsExactly(GROUP, OTHER_GROUP);
            nic.ability(MacFilter.class).allMulticast(false);
            nic.ability(MacFilter.class).addresses(List.of());
            assertThat(arriving(nic, FOREIGN, GROUP, OTHER_GROUP)).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void receivesFramesForAllStationsAsAskedFor(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            nic.ability(MacFilter.class).allUnicast(true);
            assertThat(arriving(nic, MAC, FOREIGN, GROUP)).containsExactly(MAC, FOREIGN);
            nic.reset();
            assertThat(arriving(nic, MAC, FOREIGN, GROUP)).containsExactly(MAC, FOREIGN);
            nic.ability(MacFilter.class).allUnicast(false);
            assertThat(arriving(nic, MAC, FOREIGN, GROUP)).containsExactly(MAC);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void dropsFramesByTheKindOfTheirDestination(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            nic.ability(MacFilter.class).addresses(List.of(GROUP));
            nic.ability(MacFilter.class).drop(Set.of(Destination.MULTICAST));
            assertThat(arriving(nic, MAC, GROUP)).containsExactly(MAC);
            nic.ability(MacFilter.class).drop(Set.of(Destination.UNICAST));
            assertThat(arriving(nic, MAC, GROUP)).containsExactly(GROUP);
            nic.reset();
            assertThat(arriving(nic, MAC, GROUP)).containsExactly(GROUP);
            nic.ability(MacFilter.class).drop(Set.of(Destination.BROADCAST));
            send(MacAddress.BROADCAST, UNTAGGED);
            send(MAC, UNTAGGED);
            FrameBatch batch = new FrameBatch(8);
            assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) > 0, PATIENCE))
                    .isTrue();
            assertThat(batch.frame(0).getMac(0)).isEqualTo(MAC);
            batch.release();
            nic.ability(MacFilter.class).drop(Set.of());
            assertThat(arriving(nic, GROUP)).containsExactly(GROUP);
        }
    }

    @ParameterizedTest
    @CsvSource({"ctrl_vq=off, VIRTIO_NET_F_CTRL_RX", "ctrl_rx_extra=off, VIRTIO_NET_F_CTRL_RX_EXTRA"})
    void saysThatADeviceCannotDropFramesByTheKindOfTheirDestination(String property, String feature) {
        try (VirtioNic nic = open(Device.SPLIT, NicConfig.defaults(), property)) {
            assertThatThrownBy(() -> nic.ability(MacFilter.class).drop(Set.of(Destination.MULTICAST)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(feature + " is not in use");
            assertThatThrownBy(() -> nic.ability(MacFilter.class).allUnicast(true))
                    .isInstanceOf(DoorbellException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void answersToAnAddressThatItWasGiven(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            nic.ability(MacFilter.class).macAddress(FOREIGN);
            assertThat(nic.macAddress()).isEqualTo(FOREIGN);
            assertThat(arriving(nic, MAC, FOREIGN)).containsExactly(FOREIGN);
            assertThatThrownBy(() -> nic.ability(MacFilter.class).macAddress(GROUP))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("cannot answer to " + GROUP);
            assertThat(nic.macAddress()).isEqualTo(FOREIGN);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"VIRTIO_NET_F_MAC", "VIRTIO_NET_F_MAC VIRTIO_NET_F_CTRL_MAC_ADDR"})
    void receivesFramesForAnAddressThatTheDeviceDidNotChoose(String without) {
        NicConfig config = NicConfig.defaults().withoutFeatures(without.split(" "));
        try (VirtioNic nic = open(Device.SPLIT, config)) {
            assertThat(nic.macAddress()).isNotEqualTo(MAC);
            assertThat(arriving(nic, nic.macAddress(), FOREIGN)).containsExactly(nic.macAddress());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void dropsFramesOfVlansThatItWasNotGiven(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults().withVlans(5, 4094))) {
            for (int vlan : new int[] {4, 5, 0x0ffe, 0x6005, UNTAGGED, 6}) {
                send(MAC, vlan);
            }
            // Priority (0x6000) is no part of the id.
            assertThat(untilBroadcast(nic)).containsExactly(MAC, MAC, MAC, MAC);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void receivesFramesOfAllVlansUnlessItIsGivenSome(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            send(MAC, 4);
            send(MAC, UNTAGGED);
            assertThat(untilBroadcast(nic)).containsExactly(MAC, MAC);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SPLIT", "PACKED"})
    void saysWhichCommandTheDeviceRefusedAndGoesOn(Device device) {
        try (VirtioNic nic = open(device, NicConfig.defaults())) {
            assertThatThrownBy(() -> nic.control().command(ControlCommand.MAC_ADDR_SET, new byte[] {1, 2, 3}))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("control queue: the device refused VIRTIO_NET_CTRL_MAC_ADDR_SET")
                    .hasMessageContaining("class 1, command 1")
                    .hasMessageContaining("3 bytes of data: 01 02 03");
            nic.promiscuous(true);
            assertThat(arriving(nic, FOREIGN)).containsExactly(FOREIGN);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ctrl_vq=off", "ctrl_rx=off"})
    void saysThatADeviceWithoutTheFeatureCannotDropFrames(String property) {
        try (VirtioNic nic = open(Device.SPLIT, NicConfig.defaults(), property)) {
            assertThat(arriving(nic, FOREIGN)).containsExactly(FOREIGN);
            nic.promiscuous(true);
            nic.find(MacFilter.class).ifPresent(filter -> filter.allMulticast(true));
            assertThat(arriving(nic, FOREIGN, GROUP)).containsExactly(FOREIGN, GROUP);
            assertThatThrownBy(() -> nic.promiscuous(false))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VIRTIO_NET_F_CTRL_RX is not in use");
            assertThatThrownBy(() -> nic.ability(MacFilter.class).addresses(List.of(GROUP)))
                    .isInstanceOf(DoorbellException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ctrl_vq=off", "ctrl_vlan=off"})
    void doesNotOpenADeviceThatCannotFilterVlans(String property) {
        assertThatThrownBy(() -> open(Device.SPLIT, NicConfig.defaults().withVlans(5), property))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("NicConfig.withVlans")
                .hasMessageContaining("VIRTIO_NET_F_CTRL_VLAN is not in use");
    }

    @ParameterizedTest
    @ValueSource(ints = {677, 678})
    void saysHowManyAddressesItCanTellTheDevice(int count) {
        try (VirtioNic nic = open(Device.SPLIT, NicConfig.defaults())) {
            List<MacAddress> addresses = IntStream.range(0, count)
                    .mapToObj(i -> new MacAddress(0x5254_0100_0000L + i))
                    .toList();
            if (count == 677) {
                nic.ability(MacFilter.class).addresses(addresses);
                assertThat(arriving(nic, addresses.get(676))).containsExactly(addresses.get(676));
            } else {
                assertThatThrownBy(() -> nic.ability(MacFilter.class).addresses(addresses))
                        .isInstanceOf(DoorbellException.class)
                        .hasMessageContaining("678 addresses to receive; 677 are possible");
            }
        }
    }
}
