package io.doorbell.igb.flow;

import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowRule;
import java.util.List;

/**
 * The device's filters of one kind. Rules are in them in the order in which they were added, from the first filter on, since
 * of two that match and have one priority the device takes the one with the lower number.
 */
abstract class FilterBank {

    private final FlowCapacity capacity;
    private List<FlowRule> written = List.of();

    FilterBank(FlowCapacity capacity) {
        this.capacity = capacity;
    }

    final FlowCapacity capacity() {
        return capacity;
    }

    /** Writes all filters, whatever the device has there. */
    final void rewrite(List<FlowRule> rules) {
        for (int slot = 0; slot < capacity.rules(); slot++) {
            if (slot < rules.size()) {
                write(slot, rules.get(slot));
            } else {
                clear(slot);
            }
        }
        written = List.copyOf(rules);
    }

    final boolean differsFrom(List<FlowRule> rules) {
        return !written.equals(rules);
    }

    /**
     * Writes those filters that have changed, from the first one on: rules that stay move towards the front, and are in one
     * filter or another all the time.
     */
    final void update(List<FlowRule> rules) {
        for (int slot = 0; slot < Math.max(rules.size(), written.size()); slot++) {
            if (slot >= rules.size()) {
                clear(slot);
            } else if (slot >= written.size() || !written.get(slot).equals(rules.get(slot))) {
                write(slot, rules.get(slot));
            }
        }
        written = List.copyOf(rules);
    }

    /** Puts a rule into a filter; while that is half written, it matches nothing. */
    abstract void write(int slot, FlowRule rule);

    /** Has a filter match nothing. */
    abstract void clear(int slot);
}
