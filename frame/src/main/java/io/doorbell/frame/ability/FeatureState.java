package io.doorbell.frame.ability;

import io.doorbell.frame.NicConfig;

/**
 * What became of one optional ability of a device when its driver took it.
 *
 * @param name as the device's specification spells it, which is also what {@link NicConfig#withoutFeatures} takes
 * @param bit its number there
 * @param offered whether the device has it
 * @param wanted whether the driver asked for it
 * @param negotiated whether it is in use
 * @param whyNot if it is not, why, in a few words; else empty
 */
public record FeatureState(String name, int bit, boolean offered, boolean wanted, boolean negotiated, String whyNot) {}
