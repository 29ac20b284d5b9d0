package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.qemu.qtest.QtestPciFunction;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which frames QEMU's igb passes on. */
@Tag("qtest")
class IgbFilterTest {

    private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");
    private static final MacAddress OTHER = MacAddress.parse("52:54:00:12:34:57");
    /** All routers, and a solicited-node address: without either, there is no IPv6. */
    private static final MacAddress ALL_ROUTERS = MacAddress.parse("33:33:00:00:00:02");

    private static final MacAddress SOLICITED_NODE = MacAddress.parse("33:33:ff:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int PLAIN = 0x88b5;
    private static final int TAGGED = 0x8100;

    private final FrameBatch batch = new FrameBatch(64);
    private QtestMachine machine;
    private FramePeer peer;
    private IgbNic nic;
    private MacFilter filter;

    @BeforeEach
    void startMachine() {
        machine = QtestMachine.builder().nic("igb", "mac=" + OWN).virtualTime().start();
        peer = machine.peer(0);
    }

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    private void open(NicConfig config) {
        QtestPciFunction function = machine.open(0);
        nic = IgbNic.open("0000:00:04.0", function, IgbModel.of(function.id()).orElseThrow(), config);
        nic.awaitLink(PATIENCE);
        filter = nic.ability(MacFilter.class);
    }

    private static byte[] frame(MacAddress to, int etherType, int next) {
        ByteBuffer frame = ByteBuffer.allocate(60);
        for (int i = 0; i < 6; i++) {
            frame.put((byte) to.octet(i));
        }
        frame.put(new byte[] {0x52, 0x54, 0, 0, 0, 1});
        frame.putShort((short) etherType).putShort((short) next);
        return frame.array();
    }

    /** Of frames to these, those that arrive. The last that is sent always does, and says that the others have not. */
    private List<MacAddress> received(MacAddress last, MacAddress... destinations) {
        for (MacAddress to : destinations) {
            peer.send(frame(to, PLAIN, 0));
        }
        peer.send(frame(last, PLAIN, 1));
        List<MacAddress> received = new ArrayList<>();
        assertThat(BoundedWait.until(() -> sawLast(received), PATIENCE))
                .as("%s", received)
                .isTrue();
        return received;
    }

    private boolean sawLast(List<MacAddress> received) {
        boolean last = false;
        nic.rxQueue(0).receive(batch);
        for (int i = 0; i < batch.size(); i++) {
            if (batch.frame(i).getShort(14) == 1) {
                last = true;
            } else {
                received.add(batch.frame(i).getMac(0));
            }
        }
        batch.release();
        return last;
    }

    private void assertReceived(MacAddress... destinations) {
        assertThat(received(OWN, OTHER, ALL_ROUTERS, MacAddress.BROADCAST, SOLICITED_NODE))
                .containsExactly(destinations);
    }

    @Test
    void receivesForItselfAndEveryoneAtFirst() {
        open(NicConfig.defaults());
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void receivesForTheAddressesThatItIsGiven() {
        open(NicConfig.defaults());
        filter.addresses(List.of(SOLICITED_NODE, OTHER));
        assertReceived(OTHER, MacAddress.BROADCAST, SOLICITED_NODE);
        filter.addresses(List.of(ALL_ROUTERS));
        assertReceived(ALL_ROUTERS, MacAddress.BROADCAST);
        filter.addresses(List.of());
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void receivesForAsManyStationsAsThereAreRegisters() {
        open(NicConfig.defaults());
        List<MacAddress> stations = LongStream.range(0, 23)
                .mapToObj(i -> new MacAddress(0x0200_0000_0001L + i))
                .toList();
        filter.addresses(stations);
        assertThat(received(OWN, stations.toArray(MacAddress[]::new))).isEqualTo(stations);
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void receivesForMoreGroupsThanThereAreRegisters() {
        open(NicConfig.defaults());
        List<MacAddress> groups = LongStream.range(0, 60)
                .mapToObj(i -> new MacAddress(0x3333_ff00_1200L + i))
                .toList();
        filter.addresses(groups);
        assertThat(received(OWN, groups.toArray(MacAddress[]::new))).isEqualTo(groups);
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void receivesForAllOfAKind() {
        open(NicConfig.defaults());
        filter.allMulticast(true);
        assertReceived(ALL_ROUTERS, MacAddress.BROADCAST, SOLICITED_NODE);
        filter.allMulticast(false);
        filter.allUnicast(true);
        assertReceived(OTHER, MacAddress.BROADCAST);
        nic.promiscuous(true);
        assertReceived(OTHER, ALL_ROUTERS, MacAddress.BROADCAST, SOLICITED_NODE);
        nic.promiscuous(false);
        assertReceived(OTHER, MacAddress.BROADCAST);
        filter.allUnicast(false);
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void dropsAKind() {
        open(NicConfig.defaults());
        filter.addresses(List.of(OTHER, ALL_ROUTERS));
        filter.drop(Set.of(Destination.BROADCAST));
        assertReceived(OTHER, ALL_ROUTERS);
        filter.drop(Set.of(Destination.MULTICAST));
        assertReceived(OTHER, MacAddress.BROADCAST);
        filter.drop(Set.of(Destination.UNICAST));
        assertThat(received(MacAddress.BROADCAST, OWN, OTHER, ALL_ROUTERS)).containsExactly(ALL_ROUTERS);
        filter.drop(Set.of());
        assertReceived(OTHER, ALL_ROUTERS, MacAddress.BROADCAST);
    }

    @Test
    void answersToAnotherAddressUntilItIsClosed() {
        open(NicConfig.defaults());
        filter.macAddress(OTHER);
        assertThat(nic.macAddress()).isEqualTo(OTHER);
        assertThat(received(MacAddress.BROADCAST, OWN, OTHER)).containsExactly(OTHER);
        nic.close();
        open(NicConfig.defaults());
        assertThat(nic.macAddress()).isEqualTo(OWN);
        assertReceived(MacAddress.BROADCAST);
    }

    @Test
    void remembersAllWhenItIsStoppedAndReset() {
        open(NicConfig.defaults());
        filter.addresses(List.of(SOLICITED_NODE));
        filter.allUnicast(true);
        filter.macAddress(OTHER);
        nic.stop();
        nic.start();
        nic.awaitLink(PATIENCE);
        assertReceived(OTHER, MacAddress.BROADCAST, SOLICITED_NODE);
        nic.reset();
        nic.awaitLink(PATIENCE);
        assertReceived(OTHER, MacAddress.BROADCAST, SOLICITED_NODE);
        assertThat(nic.macAddress()).isEqualTo(OTHER);
    }

    @Test
    void receivesTheVlansThatItWasOpenedForAndWhatHasNoTag() {
        open(NicConfig.defaults().withVlans(7, 4094));
        for (int vlan : new int[] {0, 6, 7, 8, 4093, 4094}) {
            peer.send(frame(OWN, TAGGED, vlan));
        }
        peer.send(frame(OWN, PLAIN, 1));
        List<Integer> tags = new ArrayList<>();
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(batch);
                            return batch.size() > 0
                                    && batch.frame(batch.size() - 1).getUnsignedShort(12) == PLAIN;
                        },
                        PATIENCE))
                .isTrue();
        for (int i = 0; i < batch.size() - 1; i++) {
            tags.add(batch.frame(i).getUnsignedShort(14));
        }
        batch.release();
        assertThat(tags).containsExactly(7, 4094);
    }
}
