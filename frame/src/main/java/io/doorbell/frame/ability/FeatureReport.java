package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import java.util.List;

/** What device and driver have agreed on, for devices that negotiate. */
public interface FeatureReport extends Ability {

    /** All features that the driver knows or the device offers. */
    List<FeatureState> features();
}
