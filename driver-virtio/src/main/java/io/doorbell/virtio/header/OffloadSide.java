package io.doorbell.virtio.header;

import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.util.EnumSet;
import java.util.Set;

/** For whom a header is written, and which features (5.1.3) say what that side does for a frame. */
public enum OffloadSide {
    /** The device: what the driver sends. */
    DEVICE(
            Feature.VIRTIO_NET_F_CSUM,
            Feature.VIRTIO_NET_F_HOST_TSO4,
            Feature.VIRTIO_NET_F_HOST_TSO6,
            Feature.VIRTIO_NET_F_HOST_ECN,
            Feature.VIRTIO_NET_F_HOST_USO,
            Feature.VIRTIO_NET_F_HOST_USO),
    /** The driver: what it receives. */
    DRIVER(
            Feature.VIRTIO_NET_F_GUEST_CSUM,
            Feature.VIRTIO_NET_F_GUEST_TSO4,
            Feature.VIRTIO_NET_F_GUEST_TSO6,
            Feature.VIRTIO_NET_F_GUEST_ECN,
            Feature.VIRTIO_NET_F_GUEST_USO4,
            Feature.VIRTIO_NET_F_GUEST_USO6);

    /** Completes checksums. */
    public final Feature checksum;
    /** Cuts TCP over IPv4. */
    final Feature tcp4;
    /** Cuts TCP over IPv6. */
    final Feature tcp6;
    /** Cuts TCP that has the flag CWR. */
    final Feature ecn;
    /** Cuts UDP over IPv4. */
    final Feature udp4;
    /** Cuts UDP over IPv6. */
    final Feature udp6;

    OffloadSide(Feature checksum, Feature tcp4, Feature tcp6, Feature ecn, Feature udp4, Feature udp6) {
        this.checksum = checksum;
        this.tcp4 = tcp4;
        this.tcp6 = tcp6;
        this.ecn = ecn;
        this.udp4 = udp4;
        this.udp6 = udp6;
    }

    /**
     * What frames may be and ask for that are sent to this side.
     *
     * @param longest bytes of a frame that is not to be segmented
     * @param slots slots of a batch that a frame may take
     */
    public SendLimits limits(Features features, int longest, int slots) {
        Set<Segmentation> segmentations = EnumSet.noneOf(Segmentation.class);
        int offloads = slots > 1 ? Offloads.MORE_SEGMENTS : 0;
        if (features.has(checksum)) {
            offloads |= Offloads.NEEDS_CHECKSUM;
            addIf(features.has(tcp4), Segmentation.TCP4, segmentations);
            addIf(features.has(tcp6), Segmentation.TCP6, segmentations);
            addIf(features.has(udp4) && features.has(udp6), Segmentation.UDP, segmentations);
        }
        if (!segmentations.isEmpty()) {
            offloads |= Offloads.SEGMENT;
        }
        return new SendLimits(
                offloads,
                segmentations,
                features.has(ecn),
                FrameLength.SHORTEST,
                longest,
                segmentations.isEmpty() ? 0 : FrameLength.LARGEST,
                slots);
    }

    private static void addIf(boolean does, Segmentation segmentation, Set<Segmentation> segmentations) {
        if (does) {
            segmentations.add(segmentation);
        }
    }

    /** All that cut. */
    public long segmentation() {
        return tcp4.mask() | tcp6.mask() | ecn.mask() | udp4.mask() | udp6.mask();
    }
}
