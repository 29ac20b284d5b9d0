package io.doorbell.virtio.spec;

import io.doorbell.DoorbellException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** All features of the specification that a network device can have, with what this driver makes of each. */
public enum Feature {
    VIRTIO_NET_F_CSUM(0, "5.1.3", Use.WANTED),
    /** This one and those that go with it are used only if the configuration says that frames may come so. */
    VIRTIO_NET_F_GUEST_CSUM(1, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_CTRL_GUEST_OFFLOADS(2, "5.1.3", Use.WANTED),
    /** Used only if the frame buffers hold a frame of that size. */
    VIRTIO_NET_F_MTU(3, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_MAC(5, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_GUEST_TSO4(7, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_GUEST_TSO6(8, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_GUEST_ECN(9, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_GUEST_UFO(10, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_HOST_TSO4(11, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_HOST_TSO6(12, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_HOST_ECN(13, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_HOST_UFO(14, "5.1.3", Use.UNUSED),
    /** Used only if the configuration says that frames may take several slots. */
    VIRTIO_NET_F_MRG_RXBUF(15, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_STATUS(16, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_CTRL_VQ(17, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_CTRL_RX(18, "5.1.3", Use.WANTED),
    /** Used only if the configuration names VLANs: with it, a device drops all tagged frames but those of VLANs it was told. */
    VIRTIO_NET_F_CTRL_VLAN(19, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_CTRL_RX_EXTRA(20, "5.1.3", Use.WANTED),
    /** Used only if the configuration says that the application announces the station. */
    VIRTIO_NET_F_GUEST_ANNOUNCE(21, "5.1.3", Use.WANTED),
    /** Used only if the configuration asks for several queues. */
    VIRTIO_NET_F_MQ(22, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_CTRL_MAC_ADDR(23, "5.1.3", Use.WANTED),
    VIRTIO_F_NOTIFY_ON_EMPTY(24, "6.3", Use.UNUSED),
    /** What a legacy device must offer, since header and frame lie in one buffer here; modern ones all can (6.3). */
    VIRTIO_F_ANY_LAYOUT(27, "6.3", Use.WANTED),
    VIRTIO_F_INDIRECT_DESC(28, "6", Use.WANTED),
    VIRTIO_F_EVENT_IDX(29, "6", Use.WANTED),
    VIRTIO_F_VERSION_1(32, "6", Use.REQUIRED),
    /** Device addresses are those of the DMA space: necessary behind an IOMMU, and right without one. */
    VIRTIO_F_ACCESS_PLATFORM(33, "6", Use.WANTED),
    VIRTIO_F_RING_PACKED(34, "6", Use.WANTED),
    VIRTIO_F_IN_ORDER(35, "6", Use.WANTED),
    /** Release and acquire order memory for real hardware too, on x86-64. */
    VIRTIO_F_ORDER_PLATFORM(36, "6", Use.WANTED),
    VIRTIO_F_SR_IOV(37, "6", Use.UNUSED),
    VIRTIO_F_NOTIFICATION_DATA(38, "6", Use.UNUSED),
    VIRTIO_F_NOTIF_CONFIG_DATA(39, "6", Use.UNUSED),
    VIRTIO_F_RING_RESET(40, "6", Use.WANTED),
    VIRTIO_F_ADMIN_VQ(41, "6", Use.UNUSED),
    VIRTIO_NET_F_DEVICE_STATS(50, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_HASH_TUNNEL(51, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_VQ_NOTF_COAL(52, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_NOTF_COAL(53, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_GUEST_USO4(54, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_GUEST_USO6(55, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_HOST_USO(56, "5.1.3", Use.WANTED),
    /** Used only where the configuration says how to hash: it makes each frame's header longer. */
    VIRTIO_NET_F_HASH_REPORT(57, "5.1.3", Use.WANTED),
    /** What {@code Frame.segmentHeader} says is exact. */
    VIRTIO_NET_F_GUEST_HDRLEN(59, "5.1.3", Use.WANTED),
    /** Used only with several queues, or where the configuration says how to hash. */
    VIRTIO_NET_F_RSS(60, "5.1.3", Use.WANTED),
    VIRTIO_NET_F_RSC_EXT(61, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_STANDBY(62, "5.1.3", Use.UNUSED),
    VIRTIO_NET_F_SPEED_DUPLEX(63, "5.1.3", Use.WANTED);

    /** What the driver does when the device offers a feature. */
    enum Use {
        /** Takes it; without it there is no going on (with a modern device). */
        REQUIRED,
        /** Takes it, unless the configuration says otherwise. */
        WANTED,
        /** Leaves it. */
        UNUSED
    }

    private final int bit;
    private final String section;
    private final Use use;

    Feature(int bit, String section, Use use) {
        this.bit = bit;
        this.section = section;
        this.use = use;
    }

    /** Its number in the specification, 0 to 63. */
    int bit() {
        return bit;
    }

    /** Where the specification describes it. */
    String section() {
        return section;
    }

    Use use() {
        return use;
    }

    /** Features one of which must be in use for this one to be (5.1.3.1); none if it stands alone. */
    Set<Feature> prerequisites() {
        return switch (this) {
            case VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
                    VIRTIO_NET_F_CTRL_RX,
                    VIRTIO_NET_F_CTRL_VLAN,
                    VIRTIO_NET_F_CTRL_RX_EXTRA,
                    VIRTIO_NET_F_CTRL_MAC_ADDR,
                    VIRTIO_NET_F_GUEST_ANNOUNCE,
                    VIRTIO_NET_F_MQ,
                    VIRTIO_NET_F_HASH_REPORT,
                    VIRTIO_NET_F_RSS -> Set.of(VIRTIO_NET_F_CTRL_VQ);
            case VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_HOST_USO -> Set.of(VIRTIO_NET_F_CSUM);
            case VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_USO6 ->
                Set.of(VIRTIO_NET_F_GUEST_CSUM);
            case VIRTIO_NET_F_GUEST_ECN -> EnumSet.of(VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6);
            case VIRTIO_NET_F_HOST_ECN -> EnumSet.of(VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6);
            default -> Set.of();
        };
    }

    /** Why the driver leaves it, in a few words, if it does. */
    String whyUnused() {
        return switch (this) {
            case VIRTIO_NET_F_GUEST_UFO -> "VIRTIO_NET_F_GUEST_USO4 and VIRTIO_NET_F_GUEST_USO6 have taken its place";
            case VIRTIO_NET_F_HOST_UFO -> "VIRTIO_NET_F_HOST_USO has taken its place";
            case VIRTIO_NET_F_RSC_EXT -> "it tells of acknowledgements that a device has merged, which nobody asks for";
            case VIRTIO_NET_F_NOTF_COAL, VIRTIO_NET_F_VQ_NOTF_COAL ->
                "queues are polled: there are no interrupts to be held back";
            case VIRTIO_F_NOTIFY_ON_EMPTY -> "queues are polled: there is no interrupt to wait for";
            case VIRTIO_F_NOTIFICATION_DATA, VIRTIO_F_NOTIF_CONFIG_DATA ->
                "the device finds in the ring what a notification would tell it";
            case VIRTIO_NET_F_DEVICE_STATS -> "the driver counts frames by itself";
            case VIRTIO_NET_F_HASH_TUNNEL -> "hashes are of the outer headers (RssHash)";
            case VIRTIO_NET_F_STANDBY -> "no other device stands in for this one";
            default -> "Doorbell has no use for it";
        };
    }

    public long mask() {
        return 1L << bit;
    }

    public boolean isIn(long features) {
        return (features & mask()) != 0;
    }

    /** The feature with this number, if the specification has one. */
    static Optional<Feature> of(int bit) {
        return Arrays.stream(values()).filter(feature -> feature.bit == bit).findFirst();
    }

    /**
     * What to take, if it is offered.
     *
     * @param without names of features to leave
     * @throws DoorbellException for a name that is no feature's, or one of a feature that is necessary
     */
    public static long wanted(Set<String> without) {
        long wanted = 0;
        for (Feature feature : values()) {
            if (feature.use != Use.UNUSED) {
                wanted |= feature.mask();
            }
        }
        for (String name : without) {
            Feature feature = Arrays.stream(values())
                    .filter(candidate -> candidate.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new DoorbellException("'" + name + "' is not a feature of a virtio network"
                            + " device: NicConfig.withoutFeatures takes names such as " + VIRTIO_F_RING_PACKED));
            if (feature.use == Use.REQUIRED) {
                throw new DoorbellException("virtio needs " + name + ": take it out of NicConfig.withoutFeatures");
            }
            wanted &= ~feature.mask();
        }
        return wanted;
    }

    /** The names of those in {@code features}, with {@code bit N} for numbers without one. */
    public static String describe(long features) {
        StringBuilder words = new StringBuilder();
        for (long rest = features; rest != 0; rest &= rest - 1) {
            int bit = Long.numberOfTrailingZeros(rest);
            words.append(words.isEmpty() ? "" : " ")
                    .append(of(bit).map(Feature::name).orElse("bit " + bit));
        }
        return words.toString();
    }
}
