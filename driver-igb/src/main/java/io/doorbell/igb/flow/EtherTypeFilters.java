package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.EtherTypeMatch;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;

/** Filters by EtherType (I210 data sheet, 7.1.2.3). The device looks no further into a frame that one of them matches. */
final class EtherTypeFilters extends FilterBank {

    private static final int PTP = 0x88f7;

    private final RegisterFile registers;

    EtherTypeFilters(RegisterFile registers, IgbModel model) {
        super(new FlowCapacity(FlowKind.ETHER_TYPE, model.etherTypeFilters(), model.queues(), 0));
        this.registers = registers;
    }

    @Override
    void write(int slot, FlowRule rule) {
        int etherType = ((EtherTypeMatch) rule.match()).etherType();
        registers.write(
                ETQF,
                slot,
                ETQF_ETYPE.of(etherType)
                        | ETQF_RX_QUEUE.of(rule.queue())
                        | ETQF_FILTER_ENABLE.mask()
                        // The first filter that matches says whether there is a time stamp, if any is wanted.
                        | (etherType == PTP ? ETQF_1588_TIME_STAMP.mask() : 0)
                        | ETQF_QUEUE_ENABLE.mask());
    }

    @Override
    void clear(int slot) {
        registers.write(ETQF, slot, 0);
    }
}
