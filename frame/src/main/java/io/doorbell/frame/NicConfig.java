package io.doorbell.frame;

import io.doorbell.dma.DoorbellException;
import java.util.Optional;
import java.util.Set;
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
 */
public record NicConfig(
        int rxRingSize,
        int txRingSize,
        int bufferSize,
        boolean promiscuous,
        @Nullable FramePool sharedPool,
        Set<String> withoutFeatures,
        @Nullable Set<Integer> onlyVlans) {

    private static final NicConfig DEFAULTS =
            new NicConfig(512, 512, FramePool.HEADROOM + 2048, false, null, Set.of(), null);

    public NicConfig {
        positive("rxRingSize", rxRingSize);
        positive("txRingSize", txRingSize);
        positive("bufferSize", bufferSize);
        withoutFeatures = Set.copyOf(withoutFeatures);
        onlyVlans = onlyVlans == null ? null : Set.copyOf(onlyVlans);
    }

    /** Rings of 512 descriptors, buffers for frames of up to 2048 bytes, a pool of the NIC's own. */
    public static NicConfig defaults() {
        return DEFAULTS;
    }

    /** The driver checks the sizes against what the device can do. */
    public NicConfig withRingSizes(int rx, int tx) {
        return new NicConfig(rx, tx, bufferSize, promiscuous, sharedPool, withoutFeatures, onlyVlans);
    }

    /** Bytes in a frame buffer, {@link FramePool#HEADROOM} included. */
    public NicConfig withBufferSize(int bytes) {
        return new NicConfig(rxRingSize, txRingSize, bytes, promiscuous, sharedPool, withoutFeatures, onlyVlans);
    }

    public NicConfig withPromiscuous(boolean on) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, on, sharedPool, withoutFeatures, onlyVlans);
    }

    /** The pool stays the caller's, to be closed after every NIC that uses it. */
    public NicConfig withPool(FramePool pool) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, promiscuous, pool, withoutFeatures, onlyVlans);
    }

    /**
     * Leaves features alone that the driver would use otherwise, to compare, or to get by with a device that has them
     * wrong.
     *
     * @param names as the device's specification spells them, such as {@code VIRTIO_F_RING_PACKED}; the driver refuses
     *     names that it does not know, and features that it cannot do without
     */
    public NicConfig withoutFeatures(String... names) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, promiscuous, sharedPool, Set.of(names), onlyVlans);
    }

    /**
     * Has the device drop frames with the tag of any other VLAN; those without a tag go on arriving.
     *
     * @param ids 0 (frames that have but a priority) to 4094; the NIC does not open if its device or driver cannot do
     *     this
     */
    public NicConfig withVlans(Integer... ids) {
        return new NicConfig(rxRingSize, txRingSize, bufferSize, promiscuous, sharedPool, withoutFeatures, Set.of(ids));
    }

    /** The VLANs whose frames to receive, if not all. */
    public Optional<Set<Integer>> vlans() {
        return Optional.ofNullable(onlyVlans);
    }

    /** The pool that the NIC is to use, if not one of its own. */
    public Optional<FramePool> pool() {
        return Optional.ofNullable(sharedPool);
    }

    private static void positive(String what, int value) {
        if (value < 1) {
            throw new DoorbellException(what + " must be positive, not " + value);
        }
    }
}
