package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.TupleMatch;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.util.EnumSet;

/** Filters by protocol and destination port, in those after the 82576 (I210 data sheet, 7.1.2.4). */
final class TwoTupleFilters extends TupleFilters {

    private static final int RESERVED = TTQF_RESERVED_15.mask() | TTQF_RESERVED_29.mask();

    private final RegisterFile registers;

    TwoTupleFilters(RegisterFile registers, IgbModel model) {
        super(
                registers,
                new FlowCapacity(
                        FlowKind.TUPLE,
                        model.twoTupleFilters(),
                        model.queues(),
                        HIGHEST_PRIORITY,
                        EnumSet.of(FlowField.PROTOCOL, FlowField.DESTINATION_PORT),
                        0));
        this.registers = registers;
    }

    /** Without QUEUE_ENABLE, whatever it matches. */
    @Override
    void disable(int slot) {
        registers.write(TTQF, slot, RESERVED | TTQF_PROTOCOL_BP.mask());
    }

    @Override
    void enable(int slot, TupleMatch match, int queue) {
        registers.write(
                TTQF,
                slot,
                RESERVED
                        | TTQF_PROTOCOL.of(match.protocol().orElse(0))
                        | TTQF_QUEUE_ENABLE.mask()
                        | TTQF_RX_QUEUE.of(queue)
                        | (isForPtp(match) ? TTQF_1588_TIME_STAMP.mask() : 0)
                        | (match.protocol().isEmpty() ? TTQF_PROTOCOL_BP.mask() : 0));
    }
}
