package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowRule;
import java.util.List;
import java.util.Map;

/**
 * Puts frames that match a rule into a receive queue, whatever RSS says of them; as {@code ethtool -N} does, and DPDK's
 * {@code rte_flow}. Which frames are received is up to the filters, as ever: a rule moves frames, it lets none in.
 *
 * {@snippet :
 * FlowRules rules = nic.ability(FlowRules.class);
 * rules.add(FlowRule.parse("ethertype 0x88f7 to queue 1"));
 * int id = rules.add(new FlowRule(TupleMatch.udp(FlowEndpoint.ANY, FlowEndpoint.port(53)), 2));
 * rules.remove(id);
 * }
 *
 * <p>Where several rules match a frame, those by EtherType go first, then those by bytes, by tuple, and by SYN, except that
 * a rule by SYN with a priority above 0 goes before those by bytes and by tuple. Among those of one kind, the highest priority
 * goes first, and of equal priority the one that was added first.
 *
 * <p>Rules go on being in force when the NIC is stopped and started again, or reset, and end when it is closed. While they
 * change, frames that are on their way may still go by the old ones, and a few of them may be lost.
 *
 * <p>With one queue there are rules too, all for queue 0, where the frames arrive anyway: an application need not tell the
 * cases apart.
 */
public interface FlowRules extends Ability {

    /**
     * Adds a rule.
     *
     * @return a number for {@link #remove}; it is not used again until the NIC is closed
     * @throws DoorbellException when there is no such queue, another rule has this match, the NIC has no filter for it, or
     *     none that is free; rules are as before then
     */
    int add(FlowRule rule);

    /**
     * Removes a rule.
     *
     * @throws DoorbellException when there is none with this number
     */
    void remove(int id);

    /** Removes all rules. */
    void clear();

    /** The rules in the order in which they were added, each by what {@link #add} has returned; a copy. */
    Map<Integer, FlowRule> rules();

    /** Which kinds of rules the NIC knows, and how many of each, whether or not they are in use. */
    List<FlowCapacity> capacity();
}
