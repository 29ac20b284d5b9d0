package io.doorbell.igb.nic;

import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.igb.flow.FlowTable;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The rules of an open NIC. */
record IgbFlowRules(FlowTable table, Locked nic) implements FlowRules {

    /** Does something under the NIC's lock, and then tells the device of what has changed, if that runs. */
    interface Locked {
        <T> T run(Supplier<T> action);
    }

    @Override
    public int add(FlowRule rule) {
        return nic.run(() -> table.add(rule));
    }

    @Override
    public void remove(int id) {
        nic.run(() -> {
            table.remove(id);
            return true;
        });
    }

    @Override
    public void clear() {
        nic.run(() -> {
            table.clear();
            return true;
        });
    }

    @Override
    public Map<Integer, FlowRule> rules() {
        return nic.run(table::rules);
    }

    @Override
    public List<FlowCapacity> capacity() {
        return nic.run(table::capacity);
    }
}
