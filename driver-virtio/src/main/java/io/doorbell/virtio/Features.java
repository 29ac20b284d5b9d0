package io.doorbell.virtio;

/**
 * The outcome of a negotiation (2.2).
 *
 * @param offered by the device
 * @param wanted by the driver, offered or not
 */
record Features(long offered, long wanted) {

    /** What both can do, and so is used. */
    long negotiated() {
        return offered & wanted;
    }

    /** Whether a feature is used. */
    boolean has(Feature feature) {
        return feature.isIn(negotiated());
    }

    Features without(Feature feature) {
        return new Features(offered, wanted & ~feature.mask());
    }
}
