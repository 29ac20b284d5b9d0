package io.doorbell.qemu.qtest;

import io.doorbell.pci.Bar;

/**
 * A BAR over qtest. Writes are posted; each leaves in a system call, which no earlier store to DMA memory can be
 * reordered behind on x86-64. Reads wait for all writes before them.
 */
final class QtestBar extends Bar {

    private final QtestClient qtest;
    private final long base;
    private final long size;

    QtestBar(QtestClient qtest, long base, long size) {
        this.qtest = qtest;
        this.base = base;
        this.size = size;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public int read8(long offset) {
        return qtest.readb(address(offset, 1));
    }

    @Override
    public int read16(long offset) {
        return qtest.readw(address(offset, 2));
    }

    @Override
    public int read32(long offset) {
        return qtest.readl(address(offset, 4));
    }

    @Override
    public void write8(long offset, int value) {
        qtest.writeb(address(offset, 1), value);
    }

    @Override
    public void write16(long offset, int value) {
        qtest.writew(address(offset, 2), value);
    }

    @Override
    public void write32(long offset, int value) {
        qtest.writel(address(offset, 4), value);
    }

    /** Stricter than a bus: a stray or misaligned offset is a driver's error, and would meet another register. */
    private long address(long offset, int width) {
        if (offset < 0 || offset > size - width || offset % width != 0) {
            throw new IndexOutOfBoundsException("offset 0x" + Long.toHexString(offset) + " for " + width
                    + " bytes is misaligned or outside a BAR of 0x" + Long.toHexString(size) + " bytes");
        }
        return base + offset;
    }
}
