package io.doorbell.igb.spec;

import io.doorbell.frame.NicRemovedException;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.igb.spec.Reg.ReadClears;
import io.doorbell.igb.spec.Reg.SafeToRead;
import io.doorbell.igb.spec.Reg.Writable;
import io.doorbell.pci.Bar;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;

/** The registers of one function, accessed as their table declares them: {@link IgbRegisters}, that of a port. */
public final class RegisterFile {

    /** What a read gives when nobody answers: the function is gone, or was never there. */
    private static final int NOBODY = -1;

    private final String nic;
    private final Bar bar;

    /** @param nic whose they are, for messages */
    public RegisterFile(String nic, Bar bar) {
        this.nic = nic;
        this.bar = bar;
    }

    /** The name of the NIC whose registers these are. */
    public String nic() {
        return nic;
    }

    public int read(SafeToRead reg) {
        return read(reg, 0);
    }

    public int read(SafeToRead reg, int index) {
        return bar.read32(reg.at(index));
    }

    public void write(Writable reg, int value) {
        write(reg, 0, value);
    }

    public void write(Writable reg, int index, int value) {
        bar.write32(reg.at(index), value);
    }

    /** Sets a field, leaving the rest of the register as it is. */
    public void set(Reg.ReadWrite reg, int index, Field field) {
        write(reg, index, read(reg, index) | field.mask());
    }

    public void set(Reg.ReadWrite reg, Field field) {
        set(reg, 0, field);
    }

    public void clear(Reg.ReadWrite reg, int index, Field field) {
        write(reg, index, read(reg, index) & ~field.mask());
    }

    public void clear(Reg.ReadWrite reg, Field field) {
        clear(reg, 0, field);
    }

    /** Sets or clears a bit. */
    public void put(Reg.ReadWrite reg, Field field, boolean on) {
        if (on) {
            set(reg, field);
        } else {
            clear(reg, field);
        }
    }

    /** Takes what has been counted, or latched, since the last time; as an unsigned number. */
    public long take(ReadClears reg, int index) {
        return Integer.toUnsignedLong(bar.read32(reg.at(index)));
    }

    /** Sets a counter to 0, in models where reading it does not. */
    public void zero(ReadClears reg, int index) {
        bar.write32(reg.at(index), 0);
    }

    /**
     * Reads STATUS, and with it whether there is still a device.
     *
     * @throws NicRemovedException when there is none
     */
    public int status() {
        int status = read(IgbRegisters.STATUS);
        if (status == NOBODY) {
            throw new NicRemovedException(nic + " does not answer: STATUS reads 0xffffffff."
                    + " It was unplugged, has lost power, or was switched off in its configuration space");
        }
        return status;
    }

    /** All registers that this model has. */
    public List<RegisterValue> dump(IgbModel model) {
        return dump(IgbRegisters.all(), reg -> IgbRegisters.count(reg, model));
    }

    /**
     * The registers of a table.
     *
     * @param count how many of an array there are
     */
    public List<RegisterValue> dump(List<Reg> table, ToIntFunction<Reg> count) {
        List<RegisterValue> values = new ArrayList<>();
        for (Reg reg : table) {
            int there = Math.min(reg.count(), count.applyAsInt(reg));
            for (int i = 0; i < there; i++) {
                values.add(value(reg, i));
            }
        }
        return values;
    }

    private RegisterValue value(Reg reg, int index) {
        String name = reg.name(index);
        int offset = reg.at(index);
        return switch (reg) {
            case SafeToRead readable -> {
                int value = read(readable, index);
                yield new RegisterValue(name, offset, OptionalInt.of(value), reg.section(), decode(reg, value));
            }
            case ReadClears _ ->
                new RegisterValue(name, offset, OptionalInt.empty(), reg.section(), "not read: reading it clears it");
            case Writable _ ->
                new RegisterValue(name, offset, OptionalInt.empty(), reg.section(), "not read: it is write-only");
        };
    }

    private static String decode(Reg reg, int value) {
        StringBuilder words = new StringBuilder();
        for (Field field : reg.fields()) {
            if (field.isSetIn(value)) {
                words.append(words.isEmpty() ? "" : " ").append(field.name());
                if (field.width() > 1) {
                    words.append('=').append(field.in(value));
                }
            }
        }
        return words.toString();
    }
}
