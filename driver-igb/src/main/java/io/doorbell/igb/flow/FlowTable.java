package io.doorbell.igb.flow;

import io.doorbell.DoorbellException;
import io.doorbell.frame.flow.BytesMatch;
import io.doorbell.frame.flow.EtherTypeMatch;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.frame.flow.TupleMatch;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The rules that put frames into queues. They are kept here, because a reset clears the device's filters; {@link #apply}
 * writes them all, {@link #update} what has changed since. The caller has the NIC's lock.
 */
public final class FlowTable {

    private static final int IPV4 = 0x0800;
    private static final int IPV6 = 0x86dd;

    private final String name;
    private final RegisterFile registers;
    private final IgbModel model;
    private final int queues;
    private final List<FilterBank> banks;
    private final Map<Integer, FlowRule> rules = new LinkedHashMap<>();
    /** Of which the last filter is for time stamps. */
    private Set<FlowKind> kept = Set.of();

    private int added;

    /** @param queues that there are to choose from */
    public FlowTable(RegisterFile registers, IgbModel model, int queues) {
        this.name = registers.nic();
        this.registers = registers;
        this.model = model;
        this.queues = queues;
        this.banks = Stream.of(
                        new EtherTypeFilters(registers, model),
                        new FlexibleFilters(registers, model),
                        new FiveTupleFilters(registers, model),
                        new TwoTupleFilters(registers, model),
                        new SynFilter(registers, model))
                .filter(bank -> bank.capacity().rules() > 0)
                .toList();
    }

    /** The kinds that this model has. */
    public List<FlowCapacity> capacity() {
        return banks.stream().map(FilterBank::capacity).toList();
    }

    /** A copy, in the order in which they were added. */
    public Map<Integer, FlowRule> rules() {
        return Collections.unmodifiableMap(new LinkedHashMap<>(rules));
    }

    /**
     * Adds a rule.
     *
     * @throws DoorbellException when the device cannot do it, or has done all that it can
     */
    public int add(FlowRule rule) {
        if (rule.queue() >= queues) {
            throw refused(
                    rule,
                    "there is no queue " + rule.queue() + ", only " + (queues == 1 ? "0" : "0 to " + (queues - 1)),
                    "ask for more with NicConfig.withQueues");
        }
        FlowCapacity capacity = capacity(rule);
        checkPriority(rule, capacity);
        checkMatch(rule, capacity);
        rules.forEach((id, other) -> {
            if (other.match().equals(rule.match())) {
                throw refused(
                        rule, "rule " + id + " puts these frames into queue " + other.queue(), "remove that first");
            }
        });
        boolean keeps = kept.contains(capacity.kind());
        if (of(capacity.kind()).size() + (keeps ? 1 : 0) == capacity.rules()) {
            throw refused(
                    rule,
                    capacity.rules() == 1
                            ? "the one filter of its kind is taken"
                            : "all " + capacity.rules() + " filters of its kind are taken"
                                    + (keeps ? ", one by time stamps (PtpClock.stampFilter)" : ""),
                    "remove a rule, or sort these frames after they were received");
        }
        int id = added++;
        rules.put(id, rule);
        return id;
    }

    private FlowCapacity capacity(FlowRule rule) {
        FlowKind kind = rule.match().kind();
        FlowCapacity capacity = capacity().stream()
                .filter(one -> one.kind() == kind)
                .findFirst()
                .orElseThrow(() -> refused(
                        rule,
                        "an " + model + " has filters by " + kinds() + ", not by " + kind,
                        "match otherwise, or sort these frames after they were received"));
        if (rule.queue() >= capacity.queues()) {
            throw refused(
                    rule,
                    "an " + model + " puts these frames into queues 0 to " + (capacity.queues() - 1) + " only",
                    "choose one of those");
        }
        return capacity;
    }

    private String kinds() {
        return capacity().stream().map(one -> one.kind().toString()).collect(Collectors.joining(", "));
    }

    private void checkPriority(FlowRule rule, FlowCapacity capacity) {
        int highest = capacity.highestPriority();
        if (rule.priority() > highest) {
            throw refused(
                    rule,
                    highest == 0
                            ? "filters by " + capacity.kind() + " have no priority"
                            : "priorities of filters by " + capacity.kind() + " go from 0 to " + highest,
                    highest == 0 ? "leave it out" : "choose one of those");
        }
    }

    private void checkMatch(FlowRule rule, FlowCapacity capacity) {
        switch (rule.match()) {
            case EtherTypeMatch match
            when match.etherType() == IPV4 || match.etherType() == IPV6 ->
                throw refused(
                        rule,
                        "the device would look no further into these frames, for checksums and hashes",
                        "match by protocol, such as 'tcp any > any'");
            case TupleMatch match
            when !capacity.fields().containsAll(match.fields()) -> {
                Set<FlowField> missing = EnumSet.copyOf(match.fields());
                missing.removeAll(capacity.fields());
                throw refused(
                        rule,
                        "an " + model + " compares no " + String.join(" and no ", names(missing)) + ", only "
                                + String.join(" and ", names(EnumSet.copyOf(capacity.fields()))),
                        "leave it out" + (hasBytes() ? ", or match by 'bytes'" : ""));
            }
            case BytesMatch match
            when match.reach() > capacity.reach() ->
                throw refused(
                        rule,
                        "an " + model + " looks at the first " + capacity.reach()
                                + " bytes of a frame, and this is about" + " byte " + (match.reach() - 1),
                        "match by what is further in front");
            default -> {}
        }
    }

    private boolean hasBytes() {
        return model.flexibleFilters() > 0;
    }

    private static List<String> names(Collection<FlowField> fields) {
        return fields.stream().map(FlowField::toString).toList();
    }

    private DoorbellException refused(FlowRule rule, String why, String wayOut) {
        return new DoorbellException(name + ": cannot add '" + rule + "': " + why + ": " + wayOut);
    }

    /**
     * Removes a rule.
     *
     * @throws DoorbellException when there is none with this number
     */
    public void remove(int id) {
        if (rules.remove(id) == null) {
            throw new DoorbellException(name + " has no rule " + id + ": "
                    + (rules.isEmpty()
                            ? "it has none"
                            : "there are "
                                    + rules.keySet().stream()
                                            .map(String::valueOf)
                                            .collect(Collectors.joining(", ")))
                    + ": FlowRules.rules tells which");
        }
    }

    public void clear() {
        rules.clear();
    }

    /**
     * Keeps the last filter of some kinds for time stamps, in place of what was kept before.
     *
     * @throws DoorbellException when a rule is in one
     */
    public void keepLastOf(Set<FlowKind> kinds) {
        for (FlowCapacity capacity : capacity()) {
            if (kinds.contains(capacity.kind()) && of(capacity.kind()).size() == capacity.rules()) {
                throw new DoorbellException(name + ": time stamps take a filter by " + capacity.kind() + ", and all "
                        + capacity.rules() + " are taken by rules: remove one (FlowRules.remove)");
            }
        }
        kept = Set.copyOf(kinds);
    }

    private List<FlowRule> of(FlowKind kind) {
        return rules.values().stream()
                .filter(rule -> rule.match().kind() == kind)
                .toList();
    }

    /** Writes all filters, after a reset. */
    public void apply() {
        for (FilterBank bank : banks) {
            bank.rewrite(of(bank.capacity().kind()));
        }
    }

    /** Writes the filters that have changed. */
    public void update() {
        for (FilterBank bank : banks) {
            List<FlowRule> wanted = of(bank.capacity().kind());
            if (bank.differsFrom(wanted)) {
                registers.status();
                bank.update(wanted);
            }
        }
    }
}
