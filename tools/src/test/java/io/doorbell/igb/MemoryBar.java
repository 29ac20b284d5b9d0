package io.doorbell.igb;

import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** Registers that hold what was written, and cost what memory costs. */
final class MemoryBar extends Bar {

    static final int SIZE = 128 << 10;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final MemorySegment memory;

    MemoryBar(MemorySegment memory) {
        this.memory = memory;
    }

    @Override
    public long size() {
        return memory.byteSize();
    }

    @Override
    public int read32(long offset) {
        return (int) INT.getOpaque(memory, offset);
    }

    @Override
    public void write32(long offset, int value) {
        INT.setRelease(memory, offset, value);
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
