package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.transport.VirtioTransport;
import java.util.List;

/** Chooses, of what a device offers, what is used: what driver, configuration and transport can make use of (2.2). */
final class Negotiation {

    /** What lets a device hand over frames that are larger than the wire takes. */
    private static final List<Feature> LARGE_RECEIVE = List.of(
            Feature.VIRTIO_NET_F_GUEST_TSO4,
            Feature.VIRTIO_NET_F_GUEST_TSO6,
            Feature.VIRTIO_NET_F_GUEST_ECN,
            Feature.VIRTIO_NET_F_GUEST_USO4,
            Feature.VIRTIO_NET_F_GUEST_USO6);

    private final String name;
    private final VirtioTransport transport;
    private final NetConfig netConfig;
    private final NicConfig config;
    private Features chosen;

    /** For a device that has been reset and knows that there is a driver. */
    Negotiation(String name, VirtioTransport transport, NetConfig netConfig, NicConfig config) {
        this.name = name;
        this.transport = transport;
        this.netConfig = netConfig;
        this.config = config;
        this.chosen = new Features(transport.deviceFeatures(), Feature.wanted(config.withoutFeatures()));
    }

    /** @throws DoorbellException when device and configuration do not go together */
    Features choose() {
        chooseVersion();
        chooseReceiveOffloads();
        chooseChangeOfOffloads();
        chooseMtu();
        chooseQueues();
        if (!config.announcements()) {
            // With it, the host would leave to us what nobody here does then.
            leave(Feature.VIRTIO_NET_F_GUEST_ANNOUNCE, "NicConfig.withAnnouncements was not set: the host announces");
        }
        if (config.vlans().isEmpty()) {
            leave(Feature.VIRTIO_NET_F_CTRL_VLAN, "frames of all VLANs are wanted");
        }
        chosen = chosen.withoutOrphans(transport.withoutCommands());
        requireQueues();
        requireVlans();
        return chosen;
    }

    private void leave(Feature feature, String reason) {
        chosen = chosen.without(feature, reason);
    }

    private void chooseVersion() {
        if (transport.isModern() && !chosen.has(Feature.VIRTIO_F_VERSION_1)) {
            throw new DoorbellException(name + ": the device does not offer " + Feature.VIRTIO_F_VERSION_1
                    + ", without which it is not the modern device that it looks like; it offers "
                    + Feature.describe(chosen.offered()));
        }
        if (transport.isModern()) {
            leave(Feature.VIRTIO_F_ANY_LAYOUT, "a modern device can do that anyway");
        } else if (!chosen.has(Feature.VIRTIO_F_ANY_LAYOUT)) {
            throw new DoorbellException(
                    name + ": the device wants headers in buffers of their own, and this driver puts"
                            + " header and frame into one: " + chosen.notInUse(Feature.VIRTIO_F_ANY_LAYOUT));
        }
    }

    /** Takes nothing that would make received frames other than the application is prepared for. */
    private void chooseReceiveOffloads() {
        unless(Offloads.NEEDS_CHECKSUM, Feature.VIRTIO_NET_F_GUEST_CSUM);
        unless(Offloads.MORE_SEGMENTS, Feature.VIRTIO_NET_F_MRG_RXBUF);
        for (Feature feature : LARGE_RECEIVE) {
            unless(Offloads.SEGMENT, feature);
            if (chosen.has(feature) && !chosen.has(Feature.VIRTIO_NET_F_MRG_RXBUF)) {
                leave(feature, "no buffer holds 64 KiB, and " + Feature.VIRTIO_NET_F_MRG_RXBUF + " is not in use");
            }
        }
    }

    private void chooseChangeOfOffloads() {
        if (!chosen.has(Feature.VIRTIO_NET_F_GUEST_CSUM)) {
            leave(Feature.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, "there is nothing to be turned on and off");
        }
    }

    private void unless(int offload, Feature feature) {
        if ((config.receiveOffloads() & offload) == 0) {
            leave(feature, "NicConfig.withReceiveOffloads does not have " + Offloads.toString(offload));
        }
    }

    private void chooseMtu() {
        int room = config.pool().map(FramePool::bufferSize).orElse(config.bufferSize()) - FramePool.HEADROOM;
        boolean one = !chosen.has(Feature.VIRTIO_NET_F_MRG_RXBUF);
        if (chosen.has(Feature.VIRTIO_NET_F_MTU) && one && netConfig.mtu() + NetConfig.ETHERNET > room) {
            // Taking it would promise that a frame of that size fits (5.1.4.1).
            leave(Feature.VIRTIO_NET_F_MTU, "the frame buffers do not hold a frame of " + netConfig.mtu() + " bytes");
        }
    }

    private void chooseQueues() {
        String one = "NicConfig.withQueues asks for one queue in each direction";
        boolean hashes = config.rss().isPresent();
        if (config.queues() == 1) {
            leave(Feature.VIRTIO_NET_F_MQ, one);
        }
        if (config.queues() == 1 && !hashes) {
            leave(Feature.VIRTIO_NET_F_RSS, one);
        }
        if (!hashes) {
            leave(Feature.VIRTIO_NET_F_HASH_REPORT, "NicConfig.withRss does not ask for hashes");
        }
    }

    private void requireQueues() {
        int asked = config.queues();
        if (asked == 1) {
            return;
        }
        if (!chosen.has(Feature.VIRTIO_NET_F_MQ) && !chosen.has(Feature.VIRTIO_NET_F_RSS)) {
            throw new DoorbellException(name
                    + ": the device has 1 queue in each direction, and NicConfig.withQueues asks" + " for " + asked
                    + ": " + chosen.notInUse(Feature.VIRTIO_NET_F_MQ) + "; " + transport.remedyForQueues(asked));
        }
        int most = netConfig.maxQueuePairs();
        if (most < asked) {
            throw new DoorbellException(name + ": the device has " + most + " queues in each direction, and"
                    + " NicConfig.withQueues asks for " + asked + "; " + transport.remedyForQueues(asked));
        }
    }

    private void requireVlans() {
        if (config.vlans().isPresent() && !chosen.has(Feature.VIRTIO_NET_F_CTRL_VLAN)) {
            throw new DoorbellException(name + ": cannot make the device drop frames of other VLANs than those of"
                    + " NicConfig.withVlans, since " + chosen.notInUse(Feature.VIRTIO_NET_F_CTRL_VLAN)
                    + ": look at each frame's tag");
        }
    }
}
