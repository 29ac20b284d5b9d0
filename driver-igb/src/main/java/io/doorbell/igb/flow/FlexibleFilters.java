package io.doorbell.igb.flow;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.frame.flow.BytesMatch;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowKind;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.Reg;
import io.doorbell.igb.spec.RegisterFile;
import java.util.Set;

/**
 * Filters by any of the first 128 bytes of a frame, in those after the 82576 (I210 data sheet, 7.1.2.5 and 8.21.18). While
 * a table is written, the device drops the frames that come.
 *
 * <p>A table has a row of four words for each eight bytes: the bytes, as on the wire and the first one lowest, in two of
 * them; a bit for each byte that is to be compared, the first one lowest; and nothing, but for the last row, where length,
 * queue and priority are.
 */
final class FlexibleFilters extends FilterBank {

    private static final int REACH = 128;
    private static final int HIGHEST_PRIORITY = 7;
    private static final int BYTES_PER_ROW = 8;
    private static final int WORDS_PER_ROW = 4;
    private static final int BYTES_PER_WORD = 4;
    private static final int MASK = 2;
    /** Filters whose tables are in one array. */
    private static final int TABLES = FHFT.count() / FHFT_WORDS;

    private final RegisterFile registers;
    /** Of WUFC.FLX; what else is in WUFC is for waking up. */
    private int enabled;

    FlexibleFilters(RegisterFile registers, IgbModel model) {
        super(new FlowCapacity(
                FlowKind.BYTES, model.flexibleFilters(), model.queues(), HIGHEST_PRIORITY, Set.of(), REACH));
        this.registers = registers;
    }

    @Override
    void write(int slot, FlowRule rule) {
        clear(slot);
        int[] table = table(rule);
        Reg.ReadWrite array = slot < TABLES ? FHFT : FHFT_EXT;
        for (int word = 0; word < FHFT_WORDS; word++) {
            registers.write(array, slot % TABLES * FHFT_WORDS + word, table[word]);
        }
        enabled |= 1 << slot;
        apply();
    }

    private static int[] table(FlowRule rule) {
        int[] table = new int[FHFT_WORDS];
        BytesMatch match = (BytesMatch) rule.match();
        match.bytes().forEach((offset, value) -> {
            int row = offset / BYTES_PER_ROW * WORDS_PER_ROW;
            int column = offset % BYTES_PER_ROW;
            table[row + column / BYTES_PER_WORD] |= value << (Byte.SIZE * (column % BYTES_PER_WORD));
            table[row + MASK] |= 1 << column;
        });
        // In whole rows, as the device compares them.
        int length = Math.ceilDiv(match.reach(), BYTES_PER_ROW) * BYTES_PER_ROW;
        table[FHFT_WORDS - 1] =
                FHFT_LENGTH.of(length) | FHFT_RQUEUE.of(rule.queue()) | FHFT_PRIORITY.of(rule.priority());
        return table;
    }

    /** The table stays: what is off is not looked at, and the reset that may come leaves the table as it was. */
    @Override
    void clear(int slot) {
        enabled &= ~(1 << slot);
        apply();
    }

    private void apply() {
        int other = registers.read(WUFC) & ~(WUFC_FLEX_HQ.mask() | WUFC_FLX.mask());
        registers.write(WUFC, other | (enabled == 0 ? 0 : WUFC_FLEX_HQ.mask() | WUFC_FLX.of(enabled)));
    }
}
