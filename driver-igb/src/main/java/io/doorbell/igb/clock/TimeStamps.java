package io.doorbell.igb.clock;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.ability.StampFilter;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.Reg;
import io.doorbell.igb.spec.RegisterFile;

/**
 * Which frames the device stamps (82576 data sheet, 7.9). One filter finds messages over Ethernet, another those in UDP, and TYPE
 * says which messages. They are the last ones that choose a queue, and leave that open; rules of an application go before them, and
 * stamp what they match if they name the type or the port of PTP.
 */
final class TimeStamps {

    private static final int ETHER_PTP = 0x88f7;
    private static final int UDP = 17;
    /** 319, the first byte lowest. */
    private static final int EVENT_PORT = 0x3f01;

    // Of TSYNCRXCTL.TYPE.
    private static final int L4_V1 = 1;
    private static final int EVENT_V2 = 5;

    // Of TSYNCRXCFG.CTRLT.
    private static final int SYNC = 0;
    private static final int DELAY_REQ = 1;

    /** In FTQF, and in TTQF: nothing is compared. */
    private static final int NOTHING = FTQF_VF_BP.mask()
            | FTQF_PROTOCOL_BP.mask()
            | FTQF_SOURCE_ADDRESS_BP.mask()
            | FTQF_DESTINATION_ADDRESS_BP.mask()
            | FTQF_SOURCE_PORT_BP.mask();

    private final RegisterFile registers;
    private final IgbModel model;
    private final int etherTypeFilter;
    private final int tupleFilter;

    private StampFilter filter = StampFilter.NONE;
    /** Whether the device's filters are other than after a reset. */
    private boolean filters;

    TimeStamps(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
        this.etherTypeFilter = model.etherTypeFilters() - 1;
        this.tupleFilter = Math.max(model.fiveTupleFilters(), model.twoTupleFilters()) - 1;
    }

    StampFilter filter() {
        return filter;
    }

    void filter(StampFilter wanted) {
        filter = wanted;
    }

    /** After a reset: the device has none of it. */
    void start() {
        filters = false;
        // Those that are sent are stamped where they ask for it, which costs nothing where none does.
        registers.write(TSYNCTXCTL, TSYNCTXCTL_EN.mask());
        apply();
    }

    void apply() {
        registers.write(TSYNCRXCTL, 0);
        switch (filter) {
            case NONE -> withoutFilters();
            case PTP_V1_L4_SYNC -> stamp(L4_V1, SYNC);
            case PTP_V1_L4_DELAY_REQ -> stamp(L4_V1, DELAY_REQ);
            case PTP_V2_EVENT -> stamp(EVENT_V2, 0);
        }
        // What was stamped under another filter is nobody's.
        registers.read(RXSTMPL);
        registers.take(RXSTMPH, 0);
        registers.take(RXSATRH, 0);
    }

    private void stamp(int type, int message) {
        registers.write(TSYNCRXCFG, TSYNCRXCFG_CTRLT.of(message));
        registers.write(
                ETQF,
                etherTypeFilter,
                type == EVENT_V2
                        ? ETQF_ETYPE.of(ETHER_PTP) | ETQF_FILTER_ENABLE.mask() | ETQF_1588_TIME_STAMP.mask()
                        : 0);
        registers.write(IMIR, tupleFilter, IMIR_PORT.of(EVENT_PORT));
        registers.write(IMIREXT, tupleFilter, IMIREXT_SIZE_BP.mask() | IMIREXT_CTRL_BP.mask());
        if (model.fiveTupleFilters() > 0) {
            // Linux has the source port compared too.
            registers.write(SPQF, tupleFilter, EVENT_PORT);
            int compared = FTQF_PROTOCOL_BP.mask() | FTQF_SOURCE_PORT_BP.mask();
            writeTuple(FTQF, FTQF_PROTOCOL.of(UDP) | FTQF_1588_TIME_STAMP.mask() | (NOTHING & ~compared));
        } else {
            int compared = TTQF_PROTOCOL_BP.mask();
            writeTuple(TTQF, TTQF_PROTOCOL.of(UDP) | TTQF_1588_TIME_STAMP.mask() | (NOTHING & ~compared));
        }
        filters = true;
        registers.write(TSYNCRXCTL, TSYNCRXCTL_EN.mask() | TSYNCRXCTL_TYPE.of(type));
    }

    /** Leaves the filters alone where they were not used: they may be somebody else's. */
    private void withoutFilters() {
        if (filters) {
            registers.write(ETQF, etherTypeFilter, 0);
            writeTuple(model.fiveTupleFilters() > 0 ? FTQF : TTQF, NOTHING);
            filters = false;
        }
    }

    private void writeTuple(Reg.ReadWrite register, int value) {
        registers.write(register, tupleFilter, value);
    }
}
