package io.doorbell.igb.nic;

import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import java.util.List;
import java.util.OptionalInt;

/** A device whose registers are not quite what they are. */
class LyingFunction extends Bar implements PciFunction {

    private final PciFunction device;

    LyingFunction(PciFunction device) {
        this.device = device;
    }

    /** What the driver reads instead of {@code value}. */
    protected int reads(int offset, int value) {
        return value;
    }

    /** What the device is told instead of {@code value}; nothing if empty. */
    protected OptionalInt writes(int offset, int value) {
        return OptionalInt.of(value);
    }

    @Override
    public int read32(long offset) {
        return reads((int) offset, device.bar(0).read32(offset));
    }

    @Override
    public void write32(long offset, int value) {
        writes((int) offset, value).ifPresent(told -> device.bar(0).write32(offset, told));
    }

    /** Behind the driver's back. */
    protected final void tell(int offset, int value) {
        device.bar(0).write32(offset, value);
    }

    @Override
    public long size() {
        return device.bar(0).size();
    }

    @Override
    public int read8(long offset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int read16(long offset) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write8(long offset, int value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write16(long offset, int value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PciAddress address() {
        return device.address();
    }

    @Override
    public PciId id() {
        return device.id();
    }

    @Override
    public ConfigSpace config() {
        return device.config();
    }

    @Override
    public Bar bar(int number) {
        return number == 0 ? this : device.bar(number);
    }

    @Override
    public DmaSpace dma() {
        return device.dma();
    }

    @Override
    public InterruptInfo interrupts() {
        return device.interrupts();
    }

    @Override
    public List<EventFd> msix(int count) {
        return device.msix(count);
    }

    @Override
    public boolean reset() {
        return device.reset();
    }

    @Override
    public void close() {
        device.close();
    }
}
