package io.doorbell.pci;

/**
 * A range of addresses that a function answers at: a BAR (0 to 5) or its ROM (6).
 *
 * @param number of the BAR
 * @param start first address, in the CPU's view
 * @param size in bytes, at least 1
 * @param flags as Linux keeps them: {@code IORESOURCE_*} of {@code linux/ioport.h}
 */
public record PciResource(int number, long start, long size, long flags) {

    private static final long IO = 0x100;
    private static final long PREFETCH = 0x2000;
    private static final long MEMORY_64 = 0x10_0000;

    /** I/O ports rather than memory. */
    public boolean isIo() {
        return (flags & IO) != 0;
    }

    public boolean isPrefetchable() {
        return (flags & PREFETCH) != 0;
    }

    public boolean is64Bit() {
        return (flags & MEMORY_64) != 0;
    }
}
