package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowEndpoint;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.frame.flow.TupleMatch;
import io.doorbell.igb.spec.RegisterFile;
import java.net.Inet4Address;

/** What filters by two and by five fields have in common: the destination port, and the priority. */
abstract class TupleFilters extends FilterBank {

    /** IMIR.FILTER_PRIORITY. */
    static final int HIGHEST_PRIORITY = 7;

    private static final int UDP = 17;
    private static final int PTP_EVENT = 319;

    private final RegisterFile registers;

    TupleFilters(RegisterFile registers, FlowCapacity capacity) {
        super(capacity);
        this.registers = registers;
    }

    @Override
    final void write(int slot, FlowRule rule) {
        TupleMatch match = (TupleMatch) rule.match();
        disable(slot);
        FlowEndpoint destination = match.destination();
        registers.write(
                IMIR,
                slot,
                IMIR_PRIORITY.of(rule.priority())
                        | (destination.port().isEmpty() ? IMIR_PORT_BP.mask() : IMIR_PORT.of(port(destination))));
        // Of any length, and with any flags.
        registers.write(IMIREXT, slot, IMIREXT_SIZE_BP.mask() | IMIREXT_CTRL_BP.mask());
        enable(slot, match, rule.queue());
    }

    @Override
    final void clear(int slot) {
        disable(slot);
        registers.write(IMIR, slot, 0);
        registers.write(IMIREXT, slot, 0);
    }

    /** Has the filter match nothing. */
    abstract void disable(int slot);

    /** Writes the rest of the filter, what turns it on at the end. */
    abstract void enable(int slot, TupleMatch match, int queue);

    /** Whether a rule is for event messages of PTP, which it would else keep from being stamped. */
    static boolean isForPtp(TupleMatch match) {
        return match.protocol().orElse(0) == UDP && match.destination().port().orElse(0) == PTP_EVENT;
    }

    /** As on the wire, the first byte lowest; 0 for any. */
    static int port(FlowEndpoint endpoint) {
        return Short.toUnsignedInt(Short.reverseBytes((short) endpoint.port().orElse(0)));
    }

    /** As on the wire, the first byte lowest; 0 for any. */
    static int address(FlowEndpoint endpoint) {
        byte[] bytes = endpoint.address().map(Inet4Address::getAddress).orElse(new byte[4]);
        return (bytes[0] & 0xff) | (bytes[1] & 0xff) << 8 | (bytes[2] & 0xff) << 16 | bytes[3] << 24;
    }
}
