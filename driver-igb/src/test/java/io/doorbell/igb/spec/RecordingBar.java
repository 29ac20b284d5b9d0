package io.doorbell.igb.spec;

import io.doorbell.pci.Bar;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Registers that hold what was written, complete their handshakes at once, and remember the order of writes. The
 * semaphore of SWSM is as the data sheet has it (8.7): a read takes it.
 */
public final class RecordingBar extends Bar {

    /** One write, with the register named as in the table. */
    public record Write(String register, int value) {}

    public final List<Write> writes = new ArrayList<>();
    /** What EERD reads. */
    public int[] nvm = {};

    /** Words from here on are never done. */
    public int brokenWord = Integer.MAX_VALUE;

    private final Map<Long, Integer> values = new HashMap<>();

    /** No device answers any more. */
    public boolean gone;

    public boolean phyAnswers = true;

    /** The registers of a PHY that is always done at once. */
    public final int[] phy = new int[32];

    /** SWESMBI is not to be had. */
    public boolean firmwareHoldsSemaphore;

    private long stuckAt = -1;
    private int stuckBits;
    private boolean stuckHigh;

    /** What RAH is after so many reads, as the device loads it from its NVM. */
    private int readsToLoad;

    private int loaded;

    public RecordingBar() {
        values.put((long) IgbRegisters.RAL.at(0), 0x12005452);
        values.put((long) IgbRegisters.RAH.at(0), 0x80005634);
        values.put((long) IgbRegisters.EEC.at(0), IgbRegisters.EEC_AUTO_RD.mask());
    }

    public void put(Reg reg, int value) {
        put(reg, 0, value);
    }

    public void put(Reg reg, int index, int value) {
        values.put((long) reg.at(index), value);
    }

    /** Without a read's effects. */
    public int peek(Reg reg) {
        return peek(reg, 0);
    }

    public int peek(Reg reg, int index) {
        return values.getOrDefault((long) reg.at(index), 0);
    }

    /** Has some bits of a register read as 1 or 0, whatever was written. */
    public void stick(Reg reg, int index, int bits, boolean high) {
        stuckAt = reg.at(index);
        stuckBits = bits;
        stuckHigh = high;
    }

    public void unstick() {
        stuckAt = -1;
    }

    /** Has RAH read as now {@code reads} times, and as {@code value} from then on. */
    public void loadAddressAfter(int reads, int value) {
        readsToLoad = reads;
        loaded = value;
    }

    public int indexOf(Reg reg, Field field) {
        for (int i = 0; i < writes.size(); i++) {
            if (writes.get(i).register().equals(reg.name(0))
                    && field.isSetIn(writes.get(i).value())) {
                return i;
            }
        }
        throw new AssertionError(reg.name() + "." + field.name() + " was never written: " + writes);
    }

    public int indexOf(Reg reg) {
        return indexOf(reg, new Field("any", 0, 32));
    }

    @Override
    public long size() {
        return 128 << 10;
    }

    @Override
    public int read32(long offset) {
        if (gone) {
            return -1;
        }
        int value = values.getOrDefault(offset, 0);
        if (offset == stuckAt) {
            value = stuckHigh ? value | stuckBits : value & ~stuckBits;
        }
        if (offset == IgbRegisters.SWSM.offset()) {
            values.put(offset, value | IgbRegisters.SWSM_SMBI.mask());
        } else if (offset == IgbRegisters.RAH.at(0) && readsToLoad > 0 && --readsToLoad == 0) {
            put(IgbRegisters.RAH, loaded);
        }
        return value;
    }

    @Override
    public void write32(long offset, int value) {
        writes.add(new Write(name(offset), value));
        if (offset == IgbRegisters.CTRL.offset()) {
            value &= ~IgbRegisters.CTRL_RST.mask();
        } else if (offset == IgbRegisters.MDIC.offset() && phyAnswers) {
            value = answer(value) | IgbRegisters.MDIC_READY.mask();
        } else if (offset == IgbRegisters.SWSM.offset() && firmwareHoldsSemaphore) {
            value &= ~IgbRegisters.SWSM_SWESMBI.mask();
        }
        values.put(offset, offset == IgbRegisters.EERD.offset() ? eerd(value) : value);
    }

    private int eerd(int asked) {
        int word = IgbRegisters.EERD_ADDR.in(asked);
        return !IgbRegisters.EERD_START.isSetIn(asked) || word >= Math.min(nvm.length, brokenWord)
                ? asked
                : IgbRegisters.EERD_ADDR.of(word)
                        | IgbRegisters.EERD_DONE.mask()
                        | IgbRegisters.EERD_DATA.of(nvm[word]);
    }

    private int answer(int command) {
        int register = IgbRegisters.MDIC_REGADD.in(command);
        if (IgbRegisters.MDIC_OP.in(command) == 1) {
            int selfClearing = register == 0 ? 0x8200 : 0; // reset and restart of the negotiation
            phy[register] = IgbRegisters.MDIC_DATA.in(command) & ~selfClearing;
            return command;
        }
        return (command & ~IgbRegisters.MDIC_DATA.mask()) | phy[register];
    }

    private static String name(long offset) {
        for (Reg reg : IgbRegisters.all()) {
            for (int i = 0; i < reg.count(); i++) {
                if (reg.at(i) == offset) {
                    return reg.name(i);
                }
            }
        }
        return "0x" + Long.toHexString(offset);
    }

    @Override
    public int read8(long offset) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public int read16(long offset) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public void write8(long offset, int value) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }

    @Override
    public void write16(long offset, int value) {
        throw new UnsupportedOperationException("the registers of an igb are 32 bits wide");
    }
}
