package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.TupleMatch;
import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.util.EnumSet;
import java.util.Set;

/** Filters by protocol, addresses and ports, in the 82576 (82576 data sheet, 7.1.2). */
final class FiveTupleFilters extends TupleFilters {

    private static final int COMPARES_NOTHING = FTQF_PROTOCOL_BP.mask()
            | FTQF_SOURCE_ADDRESS_BP.mask()
            | FTQF_DESTINATION_ADDRESS_BP.mask()
            | FTQF_SOURCE_PORT_BP.mask();

    private final RegisterFile registers;

    FiveTupleFilters(RegisterFile registers, IgbModel model) {
        super(
                registers,
                new FlowCapacity(
                        FlowKind.TUPLE,
                        model.fiveTupleFilters(),
                        model.queues(),
                        HIGHEST_PRIORITY,
                        EnumSet.allOf(FlowField.class),
                        0));
        this.registers = registers;
    }

    /** Without QUEUE_ENABLE, whatever it matches. */
    @Override
    void disable(int slot) {
        registers.write(FTQF, slot, FTQF_VF_BP.mask() | COMPARES_NOTHING);
    }

    @Override
    void enable(int slot, TupleMatch match, int queue) {
        registers.write(SAQF, slot, address(match.source()));
        registers.write(DAQF, slot, address(match.destination()));
        registers.write(SPQF, slot, port(match.source()));
        Set<FlowField> fields = match.fields();
        registers.write(
                FTQF,
                slot,
                FTQF_PROTOCOL.of(match.protocol().orElse(0))
                        | FTQF_QUEUE_ENABLE.mask()
                        | FTQF_VF_BP.mask()
                        | FTQF_RX_QUEUE.of(queue)
                        | (isForPtp(match) ? FTQF_1588_TIME_STAMP.mask() : 0)
                        | unless(fields.contains(FlowField.PROTOCOL), FTQF_PROTOCOL_BP)
                        | unless(fields.contains(FlowField.SOURCE_ADDRESS), FTQF_SOURCE_ADDRESS_BP)
                        | unless(fields.contains(FlowField.DESTINATION_ADDRESS), FTQF_DESTINATION_ADDRESS_BP)
                        | unless(fields.contains(FlowField.SOURCE_PORT), FTQF_SOURCE_PORT_BP));
    }

    private static int unless(boolean compared, Field bypass) {
        return compared ? 0 : bypass.mask();
    }
}
