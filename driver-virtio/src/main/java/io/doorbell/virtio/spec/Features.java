package io.doorbell.virtio.spec;

import io.doorbell.frame.ability.FeatureState;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The outcome of a negotiation (2.2).
 *
 * @param offered by the device
 * @param wanted by the driver, offered or not
 * @param left what the driver would want by itself and leaves here, with the reason
 */
public record Features(long offered, long wanted, Map<Feature, String> left) {

    public Features {
        left = Map.copyOf(left);
    }

    public Features(long offered, long wanted) {
        this(offered, wanted, Map.of());
    }

    /** What both can do, and so is used. */
    public long negotiated() {
        return offered & wanted;
    }

    /** Whether a feature is used. */
    public boolean has(Feature feature) {
        return feature.isIn(negotiated());
    }

    /**
     * As these, but without using a feature.
     *
     * @param reason in a few words, such as {@code the frame buffers are too small}
     */
    public Features without(Feature feature, String reason) {
        Map<Feature, String> more = new EnumMap<>(Feature.class);
        more.putAll(left);
        more.put(feature, reason);
        return new Features(offered, wanted & ~feature.mask(), more);
    }

    /**
     * Leaves every feature whose prerequisite is not in use (5.1.3.1): a device may refuse the whole choice otherwise.
     *
     * @param free features that need none here
     */
    public Features withoutOrphans(long free) {
        Features kept = this;
        // In the order of their bits, prerequisites come first.
        for (Feature feature : Feature.values()) {
            Set<Feature> needed = feature.prerequisites();
            if (kept.has(feature)
                    && !needed.isEmpty()
                    && !feature.isIn(free)
                    && needed.stream().noneMatch(kept::has)) {
                String names = needed.stream().map(Feature::name).collect(Collectors.joining(" or "));
                kept = kept.without(feature, "it goes with " + names + ", which is not in use");
            }
        }
        return kept;
    }

    /** Why a feature is not used, in a few words; empty if it is. */
    public String whyNot(Feature feature) {
        if (has(feature)) {
            return "";
        }
        if (left.containsKey(feature)) {
            return left.get(feature);
        }
        if (feature.use() == Feature.Use.UNUSED) {
            return feature.whyUnused();
        }
        return feature.isIn(wanted) ? "the device does not offer it" : "left out by NicConfig.withoutFeatures";
    }

    /** For messages: that a feature is not in use, and why. */
    public String notInUse(Feature feature) {
        return feature + " is not in use (" + whyNot(feature) + ")";
    }

    /** For people: all features of the specification, and what else the device offers, by their bits. */
    public List<FeatureState> states() {
        List<FeatureState> states = new ArrayList<>();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            Feature feature = Feature.of(bit).orElse(null);
            boolean isOffered = (offered >>> bit & 1) != 0;
            if (feature != null) {
                states.add(new FeatureState(
                        feature.name(), bit, isOffered, feature.isIn(wanted), has(feature), whyNot(feature)));
            } else if (isOffered) {
                states.add(new FeatureState(
                        "bit " + bit, bit, true, false, false, "Doorbell does not know what it means"));
            }
        }
        return List.copyOf(states);
    }
}
