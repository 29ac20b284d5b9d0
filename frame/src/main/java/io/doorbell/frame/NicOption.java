package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Something that a NIC can be opened with and that not every driver knows, as {@link java.net.SocketOption} is for sockets:
 * {@link NicConfig#with}, {@link NicCandidate#supportedOptions}.
 *
 * <p>Some are demands: a NIC is not opened without them. The others say what the application is prepared for, and a NIC
 * that cannot do it is opened all the same.
 *
 * @param <T> the type of its value
 */
public final class NicOption<T> {

    /** {@link NicConfig#withoutFeatures}, a demand. */
    public static final NicOption<Set<String>> WITHOUT_FEATURES =
            new NicOption<>("WITHOUT_FEATURES", "withoutFeatures", "its device negotiates none", true, Set::copyOf);

    /** {@link NicConfig#withVlans}, a demand. */
    public static final NicOption<Set<Integer>> VLANS =
            new NicOption<>("VLANS", "withVlans", "look at each frame's tag", true, NicOption::checkVlans);

    /** {@link NicConfig#withRss}, a demand. */
    public static final NicOption<Rss> RSS =
            new NicOption<>("RSS", "withRss", "spread the frames by software", true, UnaryOperator.identity());

    /** {@link NicConfig#withReceiveOffloads}: bits of {@link Offloads}. */
    public static final NicOption<Integer> RECEIVE_OFFLOADS =
            new NicOption<>("RECEIVE_OFFLOADS", "withReceiveOffloads", "", false, NicOption::checkOffloads);

    /** {@link NicConfig#withAnnouncements}. */
    public static final NicOption<Boolean> ANNOUNCEMENTS =
            new NicOption<>("ANNOUNCEMENTS", "withAnnouncements", "", false, UnaryOperator.identity());

    /** 4095 is reserved (IEEE 802.1Q, table 9-2). */
    private static final int LAST_VLAN = 4094;

    private final String name;
    private final String method;
    private final String instead;
    private final boolean demand;
    private final UnaryOperator<T> check;

    private NicOption(String name, String method, String instead, boolean demand, UnaryOperator<T> check) {
        this.name = name;
        this.method = method;
        this.instead = instead;
        this.demand = demand;
        this.check = check;
    }

    /** What this class calls it. */
    public String name() {
        return name;
    }

    /** Whether a NIC is not opened where its driver does not know this. */
    public boolean isDemand() {
        return demand;
    }

    /** The value as it is kept, or an error that says what is wrong with it. */
    T checked(T value) {
        return check.apply(value);
    }

    /** What to do where it is not supported. */
    String remedy() {
        return "leave out NicConfig." + method + (instead.isEmpty() ? "" : " (" + instead + ")");
    }

    @Override
    public String toString() {
        return name;
    }

    private static Set<Integer> checkVlans(Set<Integer> ids) {
        for (int id : ids) {
            if (id < 0 || id > LAST_VLAN) {
                throw new DoorbellException(
                        "there is no VLAN " + id + ": they are 0 (frames that have but a priority) to " + LAST_VLAN);
            }
        }
        return Set.copyOf(ids);
    }

    private static Integer checkOffloads(Integer offloads) {
        if ((offloads & ~Offloads.RECEIVED) != 0) {
            throw new DoorbellException(
                    "receiveOffloads are bits of Offloads that frames are received with, and not all of "
                            + Offloads.toString(offloads) + " are");
        }
        return offloads;
    }
}
