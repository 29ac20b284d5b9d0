package io.doorbell.qemu.qtest;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.pci.Bar;
import io.doorbell.pci.Capability;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A function of a {@link QtestMachine}, as an operating system would hand it over: BARs placed, memory decoding on, bus
 * mastering off. The device model behind it is QEMU's own.
 *
 * <p>Differs from hardware in that registers of a function that was unplugged read as 0, not as all ones.
 */
public final class QtestPciFunction implements PciFunction {

    private static final int BAR_COUNT = 6;
    private static final int FIRST_BAR = 0x10;
    private static final int INTERRUPT_PIN = 0x3d;

    // Base address registers: PCI Local Bus Specification 3.0, 6.2.5.1
    private static final int BAR_IS_IO = 1;
    private static final int BAR_IS_64_BIT = 4;
    private static final int MEMORY_BAR_FLAGS = 0xF;
    private static final int IO_BAR_FLAGS = 0x3;

    // Function level reset: PCI Express Base Specification, 7.5.3.3 and 7.5.3.4
    private static final int DEVICE_CAPABILITIES = 4;
    private static final int DEVICE_CONTROL = 8;
    private static final int FLR_CAPABLE = 1 << 28;
    private static final int INITIATE_FLR = 1 << 15;

    // MSI-X: PCI Local Bus Specification 3.0, 6.8.2.3 and 6.8.2.4
    private static final int MSIX_CONTROL = 2;
    private static final int MSIX_ENABLE = 1 << 15;
    private static final int MSIX_TABLE = 4;

    private final PciAddress address;
    private final ConfigSpace config;
    private final PciId id;
    private final QtestDmaSpace dma;
    private final @Nullable Bar[] bars = new Bar[BAR_COUNT];
    private @Nullable QtestInterrupts messages;
    private final int[] assigned = new int[BAR_COUNT];
    private boolean closed;

    /**
     * Does a firmware's work on a function that has just been switched on.
     *
     * @param memoryBase first of the physical addresses that are this function's to use
     * @param portBase first of its I/O ports
     */
    QtestPciFunction(
            QtestClient qtest,
            PciAddress address,
            ConfigSpace config,
            QtestMemory memory,
            long memoryBase,
            int portBase) {
        this.address = address;
        this.config = config;
        this.id = config.id();
        this.dma = new QtestDmaSpace(memory);
        placeBars(qtest, memoryBase, portBase);
        enableDecoding();
    }

    private void placeBars(QtestClient qtest, long memoryBase, int portBase) {
        long nextAddress = memoryBase;
        long nextPort = portBase;
        for (int number = 0; number < BAR_COUNT; number++) {
            int register = FIRST_BAR + 4 * number;
            int flags = config.read32(register);
            config.write32(register, -1);
            int mask = config.read32(register);
            boolean ports = (flags & BAR_IS_IO) != 0;
            // What stays 0 after writing ones are the address bits that the size takes.
            long size = Integer.toUnsignedLong(-(mask & ~(ports ? IO_BAR_FLAGS : MEMORY_BAR_FLAGS)));
            if (size == 0) {
                continue;
            }
            if (ports) {
                long base = alignUp(nextPort, size);
                nextPort = base + size;
                assigned[number] = (int) base;
                bars[number] = new QtestPortBar(qtest, (int) base, size);
            } else {
                long base = alignUp(nextAddress, Math.max(size, QtestMemory.PAGE));
                nextAddress = base + size;
                assigned[number] = (int) base;
                bars[number] = new QtestBar(qtest, base, size);
                if ((flags & BAR_IS_64_BIT) != 0) {
                    number++; // the upper half of the same address, which stays 0
                }
            }
        }
    }

    /** Restores what a reset wipes out and an operating system would put back. */
    private void enableDecoding() {
        for (int number = 0; number < BAR_COUNT; number++) {
            config.write32(FIRST_BAR + 4 * number, assigned[number]);
        }
        config.write16(ConfigSpace.COMMAND, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY);
        if (messages != null) {
            enableMessages(messages);
        }
    }

    private void enableMessages(QtestInterrupts interrupts) {
        int capability = config.capability(Capability.MSI_X).orElseThrow().offset();
        interrupts.program(this::bar, config.read32(capability + MSIX_TABLE));
        config.write16(capability + MSIX_CONTROL, config.read16(capability + MSIX_CONTROL) | MSIX_ENABLE);
    }

    @Override
    public List<EventFd> msix(int count) {
        int most = interrupts().msix();
        if (count > most) {
            throw new DoorbellException(address + " has " + most + " MSI-X vectors, not " + count);
        }
        if (messages == null) {
            QtestInterrupts all = new QtestInterrupts(dma, most);
            messages = all;
            enableMessages(all);
        }
        return messages.events().subList(0, count);
    }

    private static long alignUp(long address, long alignment) {
        return (address + alignment - 1) & -alignment;
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public PciId id() {
        return id;
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public Bar bar(int number) {
        Bar bar = number >= 0 && number < BAR_COUNT ? bars[number] : null;
        if (bar == null) {
            throw new DoorbellException(address + " (" + id + ") has no BAR " + number);
        }
        return bar;
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    @Override
    public InterruptInfo interrupts() {
        // MSI message count: PCI Local Bus Specification 3.0, 6.8.1.3; MSI-X table size: 6.8.2.3
        int intx = config.read8(INTERRUPT_PIN) == 0 ? 0 : 1;
        int msi = config.capability(Capability.MSI)
                .map(c -> 1 << (config.read16(c.offset() + 2) >>> 1 & 7))
                .orElse(0);
        int msix = config.capability(Capability.MSI_X)
                .map(c -> (config.read16(c.offset() + 2) & 0x7FF) + 1)
                .orElse(0);
        return new InterruptInfo(intx, msi, msix);
    }

    @Override
    public boolean reset() {
        Capability express = config.capability(Capability.PCI_EXPRESS).orElse(null);
        if (express == null || (config.read32(express.offset() + DEVICE_CAPABILITIES) & FLR_CAPABLE) == 0) {
            return false;
        }
        int control = express.offset() + DEVICE_CONTROL;
        config.write16(control, config.read16(control) | INITIATE_FLR);
        enableDecoding();
        return true;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            config.busMaster(false);
            reset();
            if (messages != null) {
                messages.close();
            }
        } finally {
            dma.close();
        }
    }
}
