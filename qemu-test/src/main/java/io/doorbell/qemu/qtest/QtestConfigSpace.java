package io.doorbell.qemu.qtest;

import io.doorbell.pci.ConfigSpace;
import java.util.Objects;

/** Configuration space through q35's memory-mapped window (ECAM). */
final class QtestConfigSpace extends ConfigSpace {

    private static final int SIZE = 4096;

    private final QtestClient qtest;
    private final long base;

    /** For a function on bus 0 of a machine whose window starts at {@code ecam}. */
    QtestConfigSpace(QtestClient qtest, long ecam, int device, int function) {
        this.qtest = qtest;
        this.base = ecam + ((long) device << 15 | (long) function << 12);
    }

    @Override
    public int size() {
        return SIZE;
    }

    @Override
    public int read8(int offset) {
        return qtest.readb(address(offset, 1));
    }

    @Override
    public int read16(int offset) {
        return qtest.readw(address(offset, 2));
    }

    @Override
    public int read32(int offset) {
        return qtest.readl(address(offset, 4));
    }

    @Override
    public void write8(int offset, int value) {
        qtest.writeb(address(offset, 1), value);
    }

    @Override
    public void write16(int offset, int value) {
        qtest.writew(address(offset, 2), value);
    }

    @Override
    public void write32(int offset, int value) {
        qtest.writel(address(offset, 4), value);
    }

    private long address(int offset, int width) {
        return base + Objects.checkFromIndexSize(offset, width, SIZE);
    }
}
