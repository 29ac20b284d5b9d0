package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import java.util.List;
import java.util.function.Consumer;

/** Where the device is plugged in. */
final class Slot extends Bar implements PciFunction {
    private final PciFunction device;
    /** Nobody answers any more. */
    boolean pulled;

    /** The device does not hear of frames to send, and there is no link, as with silicon whose cable was pulled. */
    boolean linkLost;

    /** The PHY is another one than QEMU's, with registers of its own from 16 on. */
    boolean otherPhy;

    /** Nobody can be told when the device is lost. */
    boolean refusesListener;

    /** The device does not let go of the first transmit queue. */
    boolean neverDisables;

    /** The PHY does not answer. */
    boolean deafPhy;

    private int mdic;
    boolean closed;
    Consumer<String> listener = _ -> {};

    Slot(PciFunction device) {
        this.device = device;
    }

    @Override
    public int read32(long offset) {
        if (offset == IgbRegisters.MDIC.offset() && mdic != 0) {
            return mdic;
        }
        if (neverDisables && offset == IgbRegisters.TXDCTL.at(0)) {
            return IgbRegisters.TXDCTL_ENABLE.mask();
        }
        if (deafPhy && offset == IgbRegisters.MDIC.offset()) {
            return 0;
        }
        int value = pulled ? -1 : device.bar(0).read32(offset);
        return linkLost && offset == IgbRegisters.STATUS.offset() ? value & ~IgbRegisters.STATUS_LU.mask() : value;
    }

    @Override
    public void write32(long offset, int value) {
        if (offset == IgbRegisters.MDIC.offset()) {
            boolean own = otherPhy && IgbRegisters.MDIC_REGADD.in(value) >= 16;
            mdic = own ? value | IgbRegisters.MDIC_READY.mask() : 0;
            if (own) {
                return;
            }
        }
        boolean heard = !linkLost || offset != IgbRegisters.TDT.at(0) || value == 0;
        if (!pulled && heard) {
            device.bar(0).write32(offset, value);
        }
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
        return this;
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
    public boolean reset() {
        return device.reset();
    }

    @Override
    public void onLoss(Consumer<String> listener) {
        if (refusesListener) {
            throw new DoorbellException("VFIO_DEVICE_SET_IRQS failed: EINVAL");
        }
        this.listener = listener;
    }

    @Override
    public List<EventFd> msix(int count) {
        return device.msix(count);
    }

    @Override
    public void close() {
        closed = true;
        device.close();
    }
}
