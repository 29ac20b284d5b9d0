package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.Destination;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which frames the device passes on (5.1.6.5.1 to 5.1.6.5.3). What is wanted is kept here, because a device forgets it
 * when it is reset.
 *
 * <p>A device without {@link Feature#VIRTIO_NET_F_CTRL_RX} passes on every frame: that is taken as it is at start, and
 * said when somebody asks for less later.
 */
final class ReceiveFilter {

    private static final int ADDRESS = 6;
    /** What the data of MAC_TABLE_SET has beside addresses: two counts. */
    private static final int COUNTS = 8;

    private static final int LARGEST_VLAN = 4094;

    private final String name;
    private final Features features;
    /** There is one if any of the features that need it is in use. */
    private final @Nullable ControlQueue control;

    private final Set<Integer> vlans;
    private final MacAddress deviceAddress;
    private MacAddress own;
    private boolean promiscuous;
    private boolean allMulticast;
    private boolean allUnicast;
    private Set<Destination> dropped = Set.of();
    private List<MacAddress> others = List.of();

    /**
     * @param deviceAddress the address that the device has by itself; without {@link Feature#VIRTIO_NET_F_MAC}, some
     *     address that it does not know
     * @param vlans the only ones to receive, with {@link Feature#VIRTIO_NET_F_CTRL_VLAN}
     */
    ReceiveFilter(
            String name,
            Features features,
            @Nullable ControlQueue control,
            MacAddress deviceAddress,
            boolean promiscuous,
            Set<Integer> vlans) {
        this.name = name;
        this.features = features;
        this.control = control;
        this.deviceAddress = deviceAddress;
        this.own = deviceAddress;
        this.promiscuous = promiscuous;
        this.vlans = new TreeSet<>(vlans);
    }

    /** Tells a device that was just started everything. */
    void apply() {
        if (features.has(Feature.VIRTIO_NET_F_CTRL_MAC_ADDR) && !deviceKnowsAddress()) {
            give(ControlCommand.MAC_ADDR_SET, bytes(own));
        }
        if (features.has(Feature.VIRTIO_NET_F_CTRL_RX)) {
            giveTable(others);
            give(ControlCommand.RX_ALLMULTI, flag(allMulticast));
            give(ControlCommand.RX_PROMISC, flag(promiscuous));
        }
        // A device that was reset does none of this by itself.
        if (allUnicast) {
            give(ControlCommand.RX_ALLUNI, flag(true));
        }
        dropped.forEach(kind -> give(dropping(kind), flag(true)));
        if (features.has(Feature.VIRTIO_NET_F_CTRL_VLAN)) {
            // A device starts without any VLAN (5.1.6.5.3.2), but QEMU before 10.1 with all: leave none to chance.
            for (int vlan = 0; vlan <= LARGEST_VLAN; vlan++) {
                give(vlans.contains(vlan) ? ControlCommand.VLAN_ADD : ControlCommand.VLAN_DEL, (byte) vlan, (byte)
                        (vlan >>> 8));
            }
        }
    }

    private boolean deviceKnowsAddress() {
        return features.has(Feature.VIRTIO_NET_F_MAC) && own.equals(deviceAddress);
    }

    /** Whether any of this can be changed. */
    boolean changes() {
        return features.has(Feature.VIRTIO_NET_F_CTRL_RX)
                || features.has(Feature.VIRTIO_NET_F_CTRL_RX_EXTRA)
                || features.has(Feature.VIRTIO_NET_F_CTRL_MAC_ADDR);
    }

    /** Why it cannot be, for want of a feature. */
    String whyNot(Feature missing) {
        return "cannot make the device change which frames it passes on, since " + features.notInUse(missing)
                + ": look at each frame's destination";
    }

    MacAddress own() {
        return own;
    }

    void own(MacAddress address) {
        if (!address.isUnicast()) {
            throw new DoorbellException(name + ": cannot answer to " + address
                    + ": a NIC's own address is neither a multicast group's nor all zeros");
        }
        give(ControlCommand.MAC_ADDR_SET, bytes(address));
        own = address;
    }

    void promiscuous(boolean on) {
        if (on && !features.has(Feature.VIRTIO_NET_F_CTRL_RX)) {
            return; // as it is
        }
        give(ControlCommand.RX_PROMISC, flag(on));
        promiscuous = on;
    }

    void allMulticast(boolean on) {
        if (on && !features.has(Feature.VIRTIO_NET_F_CTRL_RX)) {
            return; // as it is
        }
        give(ControlCommand.RX_ALLMULTI, flag(on));
        allMulticast = on;
    }

    void allUnicast(boolean on) {
        give(ControlCommand.RX_ALLUNI, flag(on));
        allUnicast = on;
    }

    void dropped(Set<Destination> kinds) {
        for (Destination kind : Destination.values()) {
            give(dropping(kind), flag(kinds.contains(kind)));
        }
        dropped = Set.copyOf(kinds);
    }

    private static ControlCommand dropping(Destination kind) {
        return switch (kind) {
            case UNICAST -> ControlCommand.RX_NOUNI;
            case MULTICAST -> ControlCommand.RX_NOMULTI;
            case BROADCAST -> ControlCommand.RX_NOBCAST;
        };
    }

    void others(List<MacAddress> addresses) {
        int most = (ControlQueue.capacity() - COUNTS) / ADDRESS - 1;
        if (addresses.size() > most) {
            throw new DoorbellException(name + ": cannot tell the device of " + addresses.size()
                    + " addresses to receive; " + most + " are possible: use allMulticast or promiscuous instead");
        }
        giveTable(addresses);
        others = List.copyOf(addresses);
    }

    private void giveTable(List<MacAddress> addresses) {
        ByteArrayOutputStream table = new ByteArrayOutputStream();
        List<MacAddress> unicast = new ArrayList<>(
                addresses.stream().filter(address -> !address.isMulticast()).toList());
        if (!features.has(Feature.VIRTIO_NET_F_CTRL_MAC_ADDR) && !deviceKnowsAddress()) {
            unicast.add(own);
        }
        append(table, unicast);
        append(table, addresses.stream().filter(MacAddress::isMulticast).toList());
        give(ControlCommand.MAC_TABLE_SET, table.toByteArray());
    }

    private static void append(ByteArrayOutputStream table, List<MacAddress> addresses) {
        int count = addresses.size();
        table.writeBytes(new byte[] {(byte) count, (byte) (count >>> 8), 0, 0});
        addresses.forEach(address -> table.writeBytes(bytes(address)));
    }

    private void give(ControlCommand command, byte... data) {
        if (control == null || !features.has(command.feature())) {
            throw new DoorbellException(name + ": " + whyNot(command.feature()));
        }
        control.setting(command, data);
    }

    private static byte flag(boolean on) {
        return (byte) (on ? 1 : 0);
    }

    private static byte[] bytes(MacAddress address) {
        byte[] bytes = new byte[ADDRESS];
        for (int i = 0; i < ADDRESS; i++) {
            bytes[i] = (byte) address.octet(i);
        }
        return bytes;
    }
}
