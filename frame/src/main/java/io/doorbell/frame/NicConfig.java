package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a NIC is to be opened. Immutable: start from {@link #defaults} and change what matters.
 *
 * @param rxRingSize descriptors in a receive ring; a device that names a smaller limit of its own gets that
 * @param txRingSize descriptors in a transmit ring, likewise
 * @param bufferSize bytes in a frame buffer of the NIC's own pool, {@link FramePool#HEADROOM} included
 * @param promiscuous whether to receive frames for other stations too
 * @param sharedPool the pool to use instead of one of the NIC's own
 * @param withoutFeatures what not to use although device and driver could, by the names in the device's specification
 * @param onlyVlans the VLANs whose frames to receive, beside frames without a tag; null for all
 * @param queues how many receive queues, and as many transmit queues
 * @param spreading how received frames are spread over the queues; null for what the driver finds best
 * @param receiveOffloads what received frames may come with; see {@link #withReceiveOffloads}
 * @param announcements whether the application announces the station when it is asked to
 */
public record NicConfig(
        int rxRingSize,
        int txRingSize,
        int bufferSize,
        boolean promiscuous,
        @Nullable FramePool sharedPool,
        Set<String> withoutFeatures,
        @Nullable Set<Integer> onlyVlans,
        int queues,
        @Nullable Rss spreading,
        int receiveOffloads,
        boolean announcements) {

    private static final NicConfig DEFAULTS =
            new NicConfig(512, 512, FramePool.HEADROOM + 2048, false, null, Set.of(), null, 1, null, 0, false);

    /** 4095 is reserved (IEEE 802.1Q, table 9-2). */
    private static final int LAST_VLAN = 4094;

    public NicConfig {
        positive("rxRingSize", rxRingSize);
        positive("txRingSize", txRingSize);
        positive("bufferSize", bufferSize);
        positive("queues", queues);
        withoutFeatures = Set.copyOf(withoutFeatures);
        if (onlyVlans != null) {
            onlyVlans = Set.copyOf(onlyVlans);
            onlyVlans.forEach(NicConfig::checkVlan);
        }
        if ((receiveOffloads & ~Offloads.ALL) != 0) {
            throw new DoorbellException("receiveOffloads are bits of Offloads, and not all of "
                    + Offloads.toString(receiveOffloads) + " are");
        }
    }

    /** Rings of 512 descriptors, buffers for frames of up to 2048 bytes, a pool of the NIC's own. */
    public static NicConfig defaults() {
        return DEFAULTS;
    }

    /** The driver checks the sizes against what the device can do. */
    public NicConfig withRingSizes(int rx, int tx) {
        return with(draft -> {
            draft.rxRingSize = rx;
            draft.txRingSize = tx;
        });
    }

    /** Bytes in a frame buffer, {@link FramePool#HEADROOM} included. */
    public NicConfig withBufferSize(int bytes) {
        return with(draft -> draft.bufferSize = bytes);
    }

    public NicConfig withPromiscuous(boolean on) {
        return with(draft -> draft.promiscuous = on);
    }

    /** The pool stays the caller's, to be closed after every NIC that uses it. */
    public NicConfig withPool(FramePool pool) {
        return with(draft -> draft.sharedPool = pool);
    }

    /**
     * Leaves features alone that the driver would use otherwise, to compare, or to get by with a device that has them
     * wrong.
     *
     * @param names as the device's specification spells them, such as {@code VIRTIO_F_RING_PACKED}; the driver refuses
     *     names that it does not know, and features that it cannot do without
     */
    public NicConfig withoutFeatures(String... names) {
        return with(draft -> draft.withoutFeatures = Set.copyOf(List.of(names)));
    }

    /**
     * Has the device drop frames with the tag of any other VLAN; those without a tag go on arriving.
     *
     * @param ids 0 (frames that have but a priority) to 4094; the NIC does not open if its device or driver cannot do
     *     this
     */
    public NicConfig withVlans(Integer... ids) {
        return with(draft -> draft.onlyVlans = Set.copyOf(List.of(ids)));
    }

    /**
     * Opens the NIC with so many queues in each direction, one pair for each thread that is to work on it. Each pair has a
     * pool of its own ({@link RxQueue#pool}), unless {@link #withPool} gives all of them one.
     *
     * @param pairs at least 1; the NIC does not open if its device or driver has fewer
     */
    public NicConfig withQueues(int pairs) {
        return with(draft -> draft.queues = pairs);
    }

    /**
     * Says by which hash the device chooses a receive queue for each frame, and has it report the hash of a frame
     * ({@link Offloads#HASH}) if it can. Of use with one queue too, for the report's sake.
     *
     * @param rss what to hash and where to; the NIC does not open if its device or driver cannot do this
     */
    public NicConfig withRss(Rss rss) {
        return with(draft -> draft.spreading = rss);
    }

    /**
     * Says what the application is prepared to find in received frames, beyond plain ones that are complete and take one
     * slot of a batch: bits of {@link Offloads}, of which the NIC uses those that it can.
     *
     * <ul>
     *   <li>{@link Offloads#NEEDS_CHECKSUM}: frames of a neighbour in the same machine, who left the checksum undone. The
     *       NIC may then also say of others whether their checksums are right.
     *   <li>{@link Offloads#CONTINUES}: frames that are longer than a buffer, and take several slots. Without, the NIC
     *       drops them.
     *   <li>{@link Offloads#SEGMENT}: frames of up to 64 KiB, each of which stands for many that the wire would take; they
     *       come only together with the other two. Make batches of 64 slots or more.
     * </ul>
     *
     * <p>All of these are right for an application that passes frames on to a NIC that does the rest, and save much work
     * there. None is right for one that looks at each slot as a frame from the wire.
     */
    public NicConfig withReceiveOffloads(int offloads) {
        return with(draft -> draft.receiveOffloads = offloads);
    }

    /**
     * Lets the application announce the station to its network when the device asks for that, as after the machine has
     * moved to another host: {@link io.doorbell.frame.ability.Announcements#takeRequest} tells, or says that the device cannot ask. Without, that
     * is left to the host.
     */
    public NicConfig withAnnouncements(boolean on) {
        return with(draft -> draft.announcements = on);
    }

    /** The VLANs whose frames to receive, if not all. */
    public Optional<Set<Integer>> vlans() {
        return Optional.ofNullable(onlyVlans);
    }

    /** How received frames are to be spread over queues, if that was said. */
    public Optional<Rss> rss() {
        return Optional.ofNullable(spreading);
    }

    /** The pool that the NIC is to use, if not one of its own. */
    public Optional<FramePool> pool() {
        return Optional.ofNullable(sharedPool);
    }

    private NicConfig with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return new NicConfig(
                draft.rxRingSize,
                draft.txRingSize,
                draft.bufferSize,
                draft.promiscuous,
                draft.sharedPool,
                draft.withoutFeatures,
                draft.onlyVlans,
                draft.queues,
                draft.spreading,
                draft.receiveOffloads,
                draft.announcements);
    }

    /** A configuration that can still be changed. */
    private static final class Draft {
        int rxRingSize;
        int txRingSize;
        int bufferSize;
        boolean promiscuous;

        @Nullable
        FramePool sharedPool;

        Set<String> withoutFeatures;

        @Nullable
        Set<Integer> onlyVlans;

        int queues;

        @Nullable
        Rss spreading;

        int receiveOffloads;
        boolean announcements;

        Draft(NicConfig from) {
            rxRingSize = from.rxRingSize;
            txRingSize = from.txRingSize;
            bufferSize = from.bufferSize;
            promiscuous = from.promiscuous;
            sharedPool = from.sharedPool;
            withoutFeatures = from.withoutFeatures;
            onlyVlans = from.onlyVlans;
            queues = from.queues;
            spreading = from.spreading;
            receiveOffloads = from.receiveOffloads;
            announcements = from.announcements;
        }
    }

    private static void checkVlan(int id) {
        if (id < 0 || id > LAST_VLAN) {
            throw new DoorbellException(
                    "there is no VLAN " + id + ": they are 0 (frames that have but a priority) to " + LAST_VLAN);
        }
    }

    private static void positive(String what, int value) {
        if (value < 1) {
            throw new DoorbellException(what + " must be positive, not " + value);
        }
    }
}
