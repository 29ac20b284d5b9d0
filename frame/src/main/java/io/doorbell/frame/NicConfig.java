package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a NIC is to be opened: what every NIC has, and {@linkplain NicOption options} that only some drivers know. Immutable:
 * start from {@link #defaults} and change what matters.
 */
public final class NicConfig {

    /** No ring has more descriptors, no buffer more bytes, and no NIC more queues. */
    private static final int MOST = 65536;

    private static final NicConfig DEFAULTS =
            new NicConfig(512, 512, FramePool.HEADROOM + 2048, false, 1, null, Map.of());

    private final int rxRingSize;
    private final int txRingSize;
    private final int bufferSize;
    private final boolean promiscuous;
    private final int queues;
    private final @Nullable FramePool sharedPool;
    private final Map<NicOption<?>, Object> options;

    private NicConfig(
            int rxRingSize,
            int txRingSize,
            int bufferSize,
            boolean promiscuous,
            int queues,
            @Nullable FramePool sharedPool,
            Map<NicOption<?>, Object> options) {
        this.rxRingSize = checked("rxRingSize", rxRingSize);
        this.txRingSize = checked("txRingSize", txRingSize);
        this.bufferSize = checked("bufferSize", bufferSize);
        this.promiscuous = promiscuous;
        this.queues = checked("queues", queues);
        this.sharedPool = sharedPool;
        this.options = options;
    }

    /** Rings of 512 descriptors, buffers for frames of up to 2048 bytes, a pool of the NIC's own. */
    public static NicConfig defaults() {
        return DEFAULTS;
    }

    /** The driver checks the sizes against what the device can do. */
    public NicConfig withRingSizes(int rx, int tx) {
        return new NicConfig(rx, tx, bufferSize, promiscuous, queues, sharedPool, options);
    }

    /**
     * Bytes in a frame buffer, {@link FramePool#HEADROOM} included. Where a driver knows jumbo frames, it receives and sends
     * those that such a buffer holds.
     */
    public NicConfig withBufferSize(int bytes) {
        return new NicConfig(rxRingSize, txRingSize, bytes, promiscuous, queues, sharedPool, options);
    }

    public NicConfig withPromiscuous(boolean on) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, on, queues, sharedPool, options);
    }

    /** The pool stays the caller's, to be closed after every NIC that uses it. */
    public NicConfig withPool(FramePool pool) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, promiscuous, queues, pool, options);
    }

    /**
     * Leaves features alone that the driver would use otherwise, to compare, or to get by with a device that has them
     * wrong.
     *
     * @param names as the device's specification spells them, such as {@code VIRTIO_F_RING_PACKED}; the driver refuses
     *     names that it does not know, and features that it cannot do without
     */
    public NicConfig withoutFeatures(String... names) {
        return names.length == 0
                ? without(NicOption.WITHOUT_FEATURES)
                : with(NicOption.WITHOUT_FEATURES, Set.copyOf(List.of(names)));
    }

    /**
     * Has the device drop frames with the tag of any other VLAN; those without a tag go on arriving.
     *
     * @param ids 0 (frames that have but a priority) to 4094; the NIC does not open if its device or driver cannot do
     *     this
     */
    public NicConfig withVlans(Integer... ids) {
        return with(NicOption.VLANS, Set.copyOf(List.of(ids)));
    }

    /**
     * Opens the NIC with so many queues in each direction, one pair for each thread that is to work on it. Each pair has a
     * pool of its own ({@link RxQueue#pool}), unless {@link #withPool} gives all of them one.
     *
     * @param pairs at least 1; the NIC does not open if its device or driver has fewer
     */
    public NicConfig withQueues(int pairs) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, promiscuous, pairs, sharedPool, options);
    }

    /**
     * Says by which hash the device chooses a receive queue for each frame, and has it report the hash of a frame
     * ({@link Offloads#HASH}) if it can. Of use with one queue too, for the report's sake.
     *
     * @param rss what to hash and where to; the NIC does not open if its device or driver cannot do this
     */
    public NicConfig withRss(Rss rss) {
        return with(NicOption.RSS, rss);
    }

    /**
     * Says what the application is prepared to find in received frames, beyond plain ones that are complete and take one
     * slot of a batch: bits of {@link Offloads}, of which the NIC uses those that it can.
     *
     * <ul>
     *   <li>{@link Offloads#NEEDS_CHECKSUM}: frames of a neighbour in the same machine, who left the checksum undone. The
     *       NIC may then also say of others whether their checksums are right.
     *   <li>{@link Offloads#MORE_SEGMENTS}: frames that are longer than a buffer, and take several slots. Without, the NIC
     *       drops them.
     *   <li>{@link Offloads#VLAN_TAG}: frames whose tag the NIC has taken out, to be had beside the frame. With igb, this is
     *       also what has it insert tags.
     *   <li>{@link Offloads#SEGMENT}: frames of up to 64 KiB, each of which stands for many that the wire would take; they
     *       come only together with the other two. Make batches of 64 slots or more.
     * </ul>
     *
     * <p>All of these are right for an application that passes frames on to a NIC that does the rest, and save much work
     * there. None is right for one that looks at each slot as a frame from the wire.
     */
    public NicConfig withReceiveOffloads(int offloads) {
        return with(NicOption.RECEIVE_OFFLOADS, offloads);
    }

    /**
     * Lets the application announce the station to its network when the device asks for that, as after the machine has
     * moved to another host: {@link io.doorbell.frame.ability.Announcements} tells, where the device can ask. Without,
     * that is left to the host.
     */
    public NicConfig withAnnouncements(boolean on) {
        return with(NicOption.ANNOUNCEMENTS, on);
    }

    /** Sets an option; the methods above do so for each by its name. */
    public <T> NicConfig with(NicOption<T> option, T value) {
        Map<NicOption<?>, Object> more = new LinkedHashMap<>(options);
        more.put(option, option.checked(value));
        return withOptions(more);
    }

    /** Leaves an option out again. */
    public NicConfig without(NicOption<?> option) {
        Map<NicOption<?>, Object> fewer = new LinkedHashMap<>(options);
        fewer.remove(option);
        return withOptions(fewer);
    }

    private NicConfig withOptions(Map<NicOption<?>, Object> changed) {
        return new NicConfig(
                rxRingSize,
                txRingSize,
                bufferSize,
                promiscuous,
                queues,
                sharedPool,
                Collections.unmodifiableMap(changed));
    }

    /** What an option was set to, if it was. */
    @SuppressWarnings("unchecked") // with() puts nothing else there
    public <T> Optional<T> get(NicOption<T> option) {
        return Optional.ofNullable((T) options.get(option));
    }

    /** The options that were set. */
    public Set<NicOption<?>> options() {
        return options.keySet();
    }

    /** Descriptors in a receive ring; a device that names a smaller limit of its own gets that. */
    public int rxRingSize() {
        return rxRingSize;
    }

    /** Descriptors in a transmit ring; a device that names a smaller limit of its own gets that. */
    public int txRingSize() {
        return txRingSize;
    }

    /** Bytes in a frame buffer of the NIC's own pool, {@link FramePool#HEADROOM} included. */
    public int bufferSize() {
        return bufferSize;
    }

    /** Whether to receive frames for other addresses too. */
    public boolean promiscuous() {
        return promiscuous;
    }

    /** How many receive queues, and as many transmit queues. */
    public int queues() {
        return queues;
    }

    /** The pool to use instead of one of the NIC's own, or null. */
    public @Nullable FramePool sharedPool() {
        return sharedPool;
    }

    /** The pool that the NIC is to use, if not one of its own. */
    public Optional<FramePool> pool() {
        return Optional.ofNullable(sharedPool);
    }

    /** What not to use although device and driver could. */
    public Set<String> withoutFeatures() {
        return get(NicOption.WITHOUT_FEATURES).orElse(Set.of());
    }

    /** The VLANs whose frames to receive, beside frames without a tag, if not all. */
    public Optional<Set<Integer>> vlans() {
        return get(NicOption.VLANS);
    }

    /** How received frames are to be spread over queues, if that was said. */
    public Optional<Rss> rss() {
        return get(NicOption.RSS);
    }

    /** What received frames may come with: bits of {@link Offloads}. */
    public int receiveOffloads() {
        return get(NicOption.RECEIVE_OFFLOADS).orElse(0);
    }

    /** Whether the application announces the station when it is asked to. */
    public boolean announcements() {
        return get(NicOption.ANNOUNCEMENTS).orElse(false);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof NicConfig that
                && rxRingSize == that.rxRingSize
                && txRingSize == that.txRingSize
                && bufferSize == that.bufferSize
                && promiscuous == that.promiscuous
                && queues == that.queues
                && sharedPool == that.sharedPool
                && options.equals(that.options);
    }

    @Override
    public int hashCode() {
        return Objects.hash(rxRingSize, txRingSize, bufferSize, promiscuous, queues, options);
    }

    @Override
    public String toString() {
        return "rings of " + rxRingSize + " and " + txRingSize + ", buffers of " + bufferSize + " bytes, " + queues
                + " queues" + (promiscuous ? ", promiscuous" : "") + (sharedPool == null ? "" : ", a shared pool")
                + (options.isEmpty() ? "" : ", " + options);
    }

    private static int checked(String what, int value) {
        if (value < 1 || value > MOST) {
            throw new DoorbellException(what + " must be 1 to " + MOST + ", not " + value);
        }
        return value;
    }
}
