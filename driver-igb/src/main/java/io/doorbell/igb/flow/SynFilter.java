package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;

/** The filter for segments of TCP with the SYN flag (I210 data sheet, 7.1.2.6). */
final class SynFilter extends FilterBank {

    /** That SYNQF.RX_QUEUE is known to name, in the 82576 with its 16 queues, too. */
    private static final int QUEUES = 8;

    private final RegisterFile registers;

    SynFilter(RegisterFile registers, IgbModel model) {
        super(new FlowCapacity(FlowKind.SYN, 1, Math.min(QUEUES, model.queues()), 1));
        this.registers = registers;
    }

    @Override
    void write(int slot, FlowRule rule) {
        registers.put(RFCTL, RFCTL_SYNQFP, rule.priority() > 0);
        registers.write(SYNQF, SYNQF_QUEUE_ENABLE.mask() | SYNQF_RX_QUEUE.of(rule.queue()));
    }

    @Override
    void clear(int slot) {
        registers.write(SYNQF, 0);
    }
}
