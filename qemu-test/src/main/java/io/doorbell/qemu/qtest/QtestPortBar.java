package io.doorbell.qemu.qtest;

import io.doorbell.pci.Bar;
import java.util.Objects;

/** A BAR in the I/O port space, over qtest. */
final class QtestPortBar extends Bar {

    private final QtestClient qtest;
    private final int base;
    private final long size;

    QtestPortBar(QtestClient qtest, int base, long size) {
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
        return qtest.inb(port(offset, 1));
    }

    @Override
    public int read16(long offset) {
        return qtest.inw(port(offset, 2));
    }

    @Override
    public int read32(long offset) {
        return qtest.inl(port(offset, 4));
    }

    @Override
    public void write8(long offset, int value) {
        qtest.outb(port(offset, 1), value);
    }

    @Override
    public void write16(long offset, int value) {
        qtest.outw(port(offset, 2), value);
    }

    @Override
    public void write32(long offset, int value) {
        qtest.outl(port(offset, 4), value);
    }

    private int port(long offset, int width) {
        return base + (int) Objects.checkFromIndexSize(offset, width, size);
    }
}
