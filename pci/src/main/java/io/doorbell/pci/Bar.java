package io.doorbell.pci;

/**
 * The registers behind one base address register of a PCI function. Offsets are in bytes, aligned to the access.
 *
 * <h2>Ordering</h2>
 *
 * A read is <em>opaque</em> and a write is a <em>release</em>: the CPU performs each exactly once, whole, in program
 * order with the other accesses of the same BAR, and a write only after all earlier stores to DMA memory. So a doorbell
 * never overtakes the descriptors that it announces. Neither is {@code volatile}: a volatile store puts a full fence
 * behind the doorbell that costs more than the doorbell.
 *
 * <p>On x86-64, the architecture that Doorbell supports, BARs are mapped uncacheable, stores to ordinary memory become
 * visible in order, and so a release store is a plain {@code mov}. On AArch64 a release store orders memory of one kind
 * only: a doorbell would need {@code dmb oshst} before it, and a status read {@code dmb oshld} after it.
 *
 * <p>The class is abstract so that a test bed can stand behind it; a process that drives real devices loads one
 * implementation, and the JIT then calls it without dispatch.
 *
 * <p>Thread-safe as far as the registers are.
 */
public abstract class Bar {

    /** For implementations. */
    protected Bar() {}

    /** The size of the BAR in bytes. */
    public abstract long size();

    public abstract int read8(long offset);

    public abstract int read16(long offset);

    public abstract int read32(long offset);

    /** Writes the low 8 bits of {@code value}. */
    public abstract void write8(long offset, int value);

    /** Writes the low 16 bits of {@code value}. */
    public abstract void write16(long offset, int value);

    public abstract void write32(long offset, int value);
}
