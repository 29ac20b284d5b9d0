package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * How a NIC is to come by its link.
 *
 * @param autonegotiates whether both ends agree on one of the modes; else it is the one mode, whatever the other end does
 * @param modes what is offered to the other end, or the one that is forced
 * @param crossover which pair is which
 */
public record LinkSettings(boolean autonegotiates, Set<LinkMode> modes, Crossover crossover) {

    /** Copies the set. */
    public LinkSettings {
        if (modes.isEmpty()) {
            throw new DoorbellException(
                    "a link has at least one mode: choose some of " + Arrays.toString(LinkMode.values()));
        }
        if (!autonegotiates && (modes.size() > 1 || modes.contains(LinkMode.GIGABIT_FULL))) {
            throw new DoorbellException("a link that does not negotiate has one mode of at most 100 Mb/s, not " + modes
                    + ": 1000 Mb/s over a twisted pair are always agreed on (IEEE 802.3, 40.5); offer that mode alone with"
                    + " LinkSettings.offering");
        }
        modes = Set.copyOf(EnumSet.copyOf(modes));
    }

    /** Offers all modes, as after the NIC was opened. */
    public static LinkSettings automatic() {
        return offering(LinkMode.values());
    }

    /** Offers these modes, and no others. */
    public static LinkSettings offering(LinkMode... modes) {
        return new LinkSettings(true, Set.of(modes), Crossover.AUTO);
    }

    /** Does not negotiate; the other end must be set to the same by hand. */
    public static LinkSettings forced(LinkMode mode) {
        return new LinkSettings(false, Set.of(mode), Crossover.AUTO);
    }

    /** The same with other pairs. */
    public LinkSettings with(Crossover other) {
        return new LinkSettings(autonegotiates, modes, other);
    }
}
