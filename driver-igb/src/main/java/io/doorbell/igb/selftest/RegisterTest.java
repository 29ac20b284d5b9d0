package io.doorbell.igb.selftest;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.Reg.ReadWrite;
import io.doorbell.igb.spec.RegisterFile;

/**
 * Whether registers hold what is written to them: each bit of addresses, lengths, tails and tables as 0 and as 1. What can be
 * written differs between models; Linux's driver, for {@code ethtool -t}, and this one agree on it. Each register is as before then.
 */
public final class RegisterTest {

    private static final int[] PATTERNS = {0x5A5A5A5A, 0xA5A5A5A5, 0, -1};
    private static final int ALL = -1;
    /** A ring starts at a multiple of 128. */
    private static final int RING_ADDRESS = 0xFFFFFF80;

    private static final int LENGTH = 0x000FFFFF;
    private static final int TAIL = 0xFFFF;
    private static final int GAPS = 0x3FFFFFFF;
    /** The bits of RCTL that there are, without those that are reserved in some models. */
    private static final int RCTL_BITS = 0x04CFB0FE;

    private static final int RCTL_LOWER = 0x003FFFFB;

    private final RegisterFile registers;
    private final IgbModel model;
    private int tested;

    public RegisterTest(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
    }

    /**
     * Works through all, while the device is neither bus master nor receives.
     *
     * @return how many there were, in words
     * @throws DefectException when one is wrong
     */
    public String run() {
        tested = 0;
        registers.status();
        if (model.vlanTypeBits() != 0) {
            array(VET, model.vlanTypeBits(), model.vlanTypeBits());
        }
        array(RDBAL, RING_ADDRESS, ALL);
        array(RDBAH, ALL, ALL);
        array(RDLEN, model.ringLengthBits(), LENGTH);
        if (model.hasTailsOfEnabledQueuesOnly()) {
            whileEnabled(RXDCTL, RXDCTL_ENABLE, () -> array(RDT, TAIL, TAIL));
        } else {
            array(RDT, TAIL, TAIL);
            array(TDT, TAIL, TAIL);
        }
        array(TIPG, GAPS, GAPS);
        array(TDBAL, RING_ADDRESS, ALL);
        array(TDBAH, ALL, ALL);
        array(TDLEN, model.ringLengthBits(), LENGTH);
        values(RCTL, ALL, 0);
        values(RCTL, RCTL_BITS, RCTL_BITS & RCTL_LOWER, RCTL_BITS);
        values(TCTL, ALL, 0);
        array(RAL, ALL, ALL);
        array(RAH, model.addressHighBits(), ALL);
        array(RAL_16, ALL, ALL);
        array(RAH_16, model.addressHighBits(), ALL);
        array(MTA, ALL, ALL);
        return tested + " registers hold what is written to them";
    }

    private void whileEnabled(ReadWrite control, Field enable, Runnable test) {
        int count = IgbRegisters.count(control, model);
        int[] before = new int[count];
        for (int i = 0; i < count; i++) {
            before[i] = registers.read(control, i);
            registers.set(control, i, enable);
        }
        try {
            test.run();
        } finally {
            for (int i = 0; i < count; i++) {
                registers.write(control, i, before[i]);
            }
        }
    }

    /**
     * @param readable the bits that read as they were written
     * @param writable the bits that may be written
     */
    private void array(ReadWrite reg, int readable, int writable) {
        for (int i = 0; i < IgbRegisters.count(reg, model); i++) {
            int[] written = new int[PATTERNS.length];
            for (int j = 0; j < written.length; j++) {
                written[j] = PATTERNS[j] & writable;
            }
            check(reg, i, readable, written);
        }
    }

    private void values(ReadWrite reg, int readable, int... written) {
        check(reg, 0, readable, written);
    }

    private void check(ReadWrite reg, int index, int readable, int... values) {
        int before = registers.read(reg, index);
        try {
            for (int value : values) {
                registers.write(reg, index, value);
                int read = registers.read(reg, index);
                if ((read & readable) != (value & readable)) {
                    throw new DefectException(String.format(
                            "%s (0x%05x) reads 0x%08x after 0x%08x was written: of the bits 0x%08x, these differ: 0x%08x",
                            reg.name(index), reg.at(index), read, value, readable, (read ^ value) & readable));
                }
            }
        } finally {
            registers.write(reg, index, before);
        }
        tested++;
    }
}
