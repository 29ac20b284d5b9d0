package io.doorbell.pci;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A function's configuration space: 256 bytes, or 4096 on PCI Express (PCI Express Base Specification, 7.2). Offsets are
 * in bytes, aligned to the access. Thread-safe.
 */
public abstract class ConfigSpace {

    public static final int VENDOR_ID = 0x00;
    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int CAPABILITIES_POINTER = 0x34;

    /** COMMAND: answers on I/O ports. */
    public static final int COMMAND_IO = 1 << 0;
    /** COMMAND: answers on memory BARs. */
    public static final int COMMAND_MEMORY = 1 << 1;
    /** COMMAND: may start DMA and message-signalled interrupts. */
    public static final int COMMAND_BUS_MASTER = 1 << 2;

    private static final int STATUS_CAPABILITIES_LIST = 1 << 4;
    private static final int FIRST_EXTENDED = 0x100;
    private static final int STANDARD_SIZE = 0x100;

    /** For implementations. */
    protected ConfigSpace() {}

    /** 256 or 4096 bytes. */
    public abstract int size();

    public abstract int read8(int offset);

    public abstract int read16(int offset);

    public abstract int read32(int offset);

    /** Writes the low 8 bits of {@code value}. */
    public abstract void write8(int offset, int value);

    /** Writes the low 16 bits of {@code value}. */
    public abstract void write16(int offset, int value);

    public abstract void write32(int offset, int value);

    /** The ids that the function itself reports. */
    public final PciId id() {
        return new PciId(read16(VENDOR_ID), read16(DEVICE_ID));
    }

    /** Lets the function start DMA, or forbids it. */
    public final void busMaster(boolean enabled) {
        int command = read16(COMMAND);
        write16(COMMAND, enabled ? command | COMMAND_BUS_MASTER : command & ~COMMAND_BUS_MASTER);
    }

    /**
     * Walks the standard list and then the extended one. A list that runs in a circle or out of the space, as a broken
     * or absent device shows it, ends the walk.
     */
    public final List<Capability> capabilities() {
        List<Capability> found = new ArrayList<>();
        if ((read16(STATUS) & STATUS_CAPABILITIES_LIST) != 0) {
            walkStandard(found);
        }
        if (size() > FIRST_EXTENDED) {
            walkExtended(found);
        }
        return List.copyOf(found);
    }

    /** The first standard capability with this id. */
    public final Optional<Capability> capability(int id) {
        return capabilities().stream()
                .filter(c -> !c.extended() && c.id() == id)
                .findFirst();
    }

    /** The first extended capability with this id. */
    public final Optional<Capability> extendedCapability(int id) {
        return capabilities().stream().filter(c -> c.extended() && c.id() == id).findFirst();
    }

    private void walkStandard(List<Capability> found) {
        Set<Integer> seen = new HashSet<>();
        // The low two bits of a pointer are reserved (PCI Local Bus Specification, 6.7).
        int offset = read8(CAPABILITIES_POINTER) & ~3;
        int last = Math.min(size(), STANDARD_SIZE) - 4;
        while (offset >= 0x40 && offset <= last && seen.add(offset)) {
            int header = read16(offset);
            if (header == 0xffff) {
                return; // nothing answers there any more
            }
            found.add(new Capability(header & 0xff, false, 0, offset));
            offset = header >>> 8 & ~3;
        }
    }

    private void walkExtended(List<Capability> found) {
        Set<Integer> seen = new HashSet<>();
        int offset = FIRST_EXTENDED;
        while (offset >= FIRST_EXTENDED && offset <= size() - 4 && seen.add(offset)) {
            int header = read32(offset);
            if (header == 0 || header == -1) {
                return;
            }
            found.add(new Capability(header & 0xffff, true, header >>> 16 & 0xf, offset));
            offset = header >>> 20 & ~3;
        }
    }
}
