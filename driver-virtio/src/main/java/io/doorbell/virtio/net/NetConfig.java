package io.doorbell.virtio.net;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.transport.VirtioTransport;
import java.util.function.Supplier;

/** The device configuration of a network device (5.1.4), of which a field exists if its feature is offered. */
final class NetConfig {

    private static final int MAC = 0;
    private static final int STATUS = 6;
    private static final int MAX_QUEUE_PAIRS = 8;
    private static final int MTU = 10;
    private static final int SPEED = 12;
    private static final int DUPLEX = 16;
    private static final int RSS_MAX_KEY_SIZE = 17;
    private static final int RSS_MAX_TABLE_LENGTH = 18;
    private static final int HASH_TYPES = 20;

    /** Ethernet header and VLAN tag, which an MTU leaves out. */
    static final int ETHERNET = 18;

    private static final int LINK_UP = 1;
    private static final int ANNOUNCE = 2;
    private static final int FULL_DUPLEX = 1;

    private static final int ATTEMPTS = 100;

    private final VirtioTransport transport;

    NetConfig(VirtioTransport transport) {
        this.transport = transport;
    }

    /** The device's own address, with VIRTIO_NET_F_MAC. */
    MacAddress macAddress() {
        return consistently(() -> {
            long value = 0;
            for (int i = 0; i < 6; i++) {
                value = value << 8 | transport.config8(MAC + i);
            }
            return new MacAddress(value);
        });
    }

    /** Bytes in the largest frame, without its Ethernet header; with VIRTIO_NET_F_MTU. */
    int mtu() {
        return transport.config16(MTU);
    }

    /** The most queues in each direction; with VIRTIO_NET_F_MQ or VIRTIO_NET_F_RSS. */
    int maxQueuePairs() {
        return transport.config16(MAX_QUEUE_PAIRS);
    }

    /** Bytes in the longest key to hash with; with VIRTIO_NET_F_RSS or VIRTIO_NET_F_HASH_REPORT. */
    int rssMaxKeySize() {
        return transport.config8(RSS_MAX_KEY_SIZE);
    }

    /** Entries in the longest table of queues; with VIRTIO_NET_F_RSS. */
    int rssMaxTableLength() {
        return transport.config16(RSS_MAX_TABLE_LENGTH);
    }

    /** What the device can hash, as bits of {@link HashTypes}; with VIRTIO_NET_F_RSS or VIRTIO_NET_F_HASH_REPORT. */
    int hashTypes() {
        return transport.config32(HASH_TYPES);
    }

    /** The link, as far as the features used tell it: up without VIRTIO_NET_F_STATUS (5.1.4.2). */
    LinkState linkState(Features features) {
        return consistently(() -> {
            if (features.has(Feature.VIRTIO_NET_F_STATUS) && (transport.config16(STATUS) & LINK_UP) == 0) {
                return LinkState.DOWN;
            }
            if (!features.has(Feature.VIRTIO_NET_F_SPEED_DUPLEX)) {
                return new LinkState(true, 0, true);
            }
            // A speed beyond 0x7fffffff means that it is unknown.
            return new LinkState(
                    true, Math.max(0, transport.config32(SPEED)), transport.config8(DUPLEX) == FULL_DUPLEX);
        });
    }

    /** Whether the device waits for the station to be announced; with VIRTIO_NET_F_GUEST_ANNOUNCE. */
    boolean wantsAnnouncement() {
        return (transport.config16(STATUS) & ANNOUNCE) != 0;
    }

    /** Reads again until nothing has changed meanwhile (2.5.1). */
    private <T> T consistently(Supplier<T> read) {
        for (int i = 0; i < ATTEMPTS; i++) {
            int before = transport.configGeneration();
            T value = read.get();
            if (transport.configGeneration() == before) {
                return value;
            }
        }
        throw new BrokenDeviceException("the device changed its configuration during each of " + ATTEMPTS
                + " attempts to read it: config_generation does not come to rest");
    }
}
