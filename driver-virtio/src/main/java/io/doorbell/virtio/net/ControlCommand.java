package io.doorbell.virtio.net;

import io.doorbell.virtio.spec.Feature;

/** The commands of the control queue that this driver gives (5.1.6.5), with the feature that brings each. */
enum ControlCommand {
    RX_PROMISC(0, 0, Feature.VIRTIO_NET_F_CTRL_RX),
    RX_ALLMULTI(0, 1, Feature.VIRTIO_NET_F_CTRL_RX),
    RX_ALLUNI(0, 2, Feature.VIRTIO_NET_F_CTRL_RX_EXTRA),
    RX_NOMULTI(0, 3, Feature.VIRTIO_NET_F_CTRL_RX_EXTRA),
    RX_NOUNI(0, 4, Feature.VIRTIO_NET_F_CTRL_RX_EXTRA),
    RX_NOBCAST(0, 5, Feature.VIRTIO_NET_F_CTRL_RX_EXTRA),
    MAC_TABLE_SET(1, 0, Feature.VIRTIO_NET_F_CTRL_RX),
    MAC_ADDR_SET(1, 1, Feature.VIRTIO_NET_F_CTRL_MAC_ADDR),
    VLAN_ADD(2, 0, Feature.VIRTIO_NET_F_CTRL_VLAN),
    VLAN_DEL(2, 1, Feature.VIRTIO_NET_F_CTRL_VLAN),
    ANNOUNCE_ACK(3, 0, Feature.VIRTIO_NET_F_GUEST_ANNOUNCE),
    MQ_VQ_PAIRS_SET(4, 0, Feature.VIRTIO_NET_F_MQ),
    MQ_RSS_CONFIG(4, 1, Feature.VIRTIO_NET_F_RSS),
    MQ_HASH_CONFIG(4, 2, Feature.VIRTIO_NET_F_HASH_REPORT),
    GUEST_OFFLOADS_SET(5, 0, Feature.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);

    private final int commandClass;
    private final int number;
    private final Feature feature;

    ControlCommand(int commandClass, int number, Feature feature) {
        this.commandClass = commandClass;
        this.number = number;
        this.feature = feature;
    }

    int commandClass() {
        return commandClass;
    }

    /** Its number within its class. */
    int number() {
        return number;
    }

    /** What must have been agreed on. */
    Feature feature() {
        return feature;
    }

    /** As in the specification, with both numbers. */
    @Override
    public String toString() {
        return "VIRTIO_NET_CTRL_" + name() + " (class " + commandClass + ", command " + number + ")";
    }
}
