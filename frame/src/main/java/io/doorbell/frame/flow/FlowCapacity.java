package io.doorbell.frame.flow;

import java.util.Set;

/**
 * What a NIC's filters of one kind can do.
 *
 * @param kind which rules they are for
 * @param rules how many
 * @param queues how many queues they can put frames into, from number 0 on; the NIC may have fewer
 * @param highestPriority of a rule
 * @param fields for {@link FlowKind#TUPLE}, what can be compared; else empty
 * @param reach for {@link FlowKind#BYTES}, how many bytes of a frame can be compared, from the first one on; else 0
 */
public record FlowCapacity(
        FlowKind kind, int rules, int queues, int highestPriority, Set<FlowField> fields, int reach) {

    /** Copies {@code fields}. */
    public FlowCapacity {
        fields = Set.copyOf(fields);
    }

    /** Filters that compare neither fields nor bytes that could be chosen. */
    public FlowCapacity(FlowKind kind, int rules, int queues, int highestPriority) {
        this(kind, rules, queues, highestPriority, Set.of(), 0);
    }
}
