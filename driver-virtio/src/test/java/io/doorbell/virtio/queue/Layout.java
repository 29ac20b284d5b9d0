package io.doorbell.virtio.queue;

import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.util.Arrays;

/** The layouts of rings that the driver knows, with the features that change how it goes through them. */
enum Layout {
    SPLIT(false, false, false),
    SPLIT_IN_ORDER(false, true, false),
    SPLIT_EVENT_INDEX(false, false, true),
    PACKED(true, false, false),
    PACKED_IN_ORDER(true, true, false),
    PACKED_EVENT_INDEX(true, false, true);

    private final boolean packed;
    private final boolean inOrder;
    private final boolean eventIndex;

    Layout(boolean packed, boolean inOrder, boolean eventIndex) {
        this.packed = packed;
        this.inOrder = inOrder;
        this.eventIndex = eventIndex;
    }

    boolean isPacked() {
        return packed;
    }

    boolean isInOrder() {
        return inOrder;
    }

    Features features(Feature... more) {
        long mask = Feature.VIRTIO_F_VERSION_1.mask()
                | (packed ? Feature.VIRTIO_F_RING_PACKED.mask() : 0)
                | (inOrder ? Feature.VIRTIO_F_IN_ORDER.mask() : 0)
                | (eventIndex ? Feature.VIRTIO_F_EVENT_IDX.mask() : 0)
                | Arrays.stream(more).mapToLong(Feature::mask).reduce(0, (a, b) -> a | b);
        return new Features(mask, mask);
    }
}
