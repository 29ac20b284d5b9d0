package io.doorbell.pci.simulated;

import io.doorbell.dma.LocalDmaSpace;
import io.doorbell.dma.cleanup.Releases;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.region.Region;
import io.doorbell.pci.region.Region.Area;
import io.doorbell.pci.region.RegionBar;
import io.doorbell.pci.region.RegionConfigSpace;
import io.doorbell.pci.region.RegionFile;
import java.util.List;

/**
 * A function with no device behind it: its registers and its configuration space are memory, which holds what was
 * written. For practising a driver: its BAR is of the very class that a real one is of, and so is what the JIT makes of
 * a doorbell.
 */
public final class MemoryFunction implements PciFunction {

    private static final long CONFIG_BYTES = 256;
    /** Where the BAR starts in the file: on a page. */
    private static final long BAR_OFFSET = 4096;

    private static final long BAR_BYTES = 128 << 10;

    private final Kernel kernel = Kernel.linux();
    private final PciId id;
    private final LocalDmaSpace dma = new LocalDmaSpace();
    private final int file;
    private final RegionBar bar;
    private final RegionConfigSpace config;
    private final Releases releases = new Releases();

    /** Makes a function that says that it is {@code id}, with a BAR 0 of 128 KiB. */
    public MemoryFunction(PciId id) {
        this.id = id;
        Lifetime lifetime = new Lifetime("a function without a device");
        this.file = kernel.memfdCreate("doorbell-function", Kernel.MFD_CLOEXEC);
        releases.add(() -> kernel.close(file));
        try {
            kernel.ftruncate(file, BAR_OFFSET + BAR_BYTES);
            RegionFile registers = new RegionFile(kernel, file, new Region(7, CONFIG_BYTES, 0, List.of()), lifetime);
            releases.add(registers::close);
            this.config = new RegionConfigSpace(registers);
            Region memory = new Region(0, BAR_BYTES, BAR_OFFSET, List.of(new Area(0, BAR_BYTES)));
            this.bar = RegionBar.open(kernel, file, memory, lifetime);
            releases.add(bar::close);
            releases.add(dma::close);
            releases.add(lifetime::end);
        } catch (Throwable e) {
            releases.allAfter(e);
            throw e;
        }
    }

    @Override
    public PciAddress address() {
        return new PciAddress(0, 0, 0, 0);
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
        return bar;
    }

    @Override
    public LocalDmaSpace dma() {
        return dma;
    }

    @Override
    public InterruptInfo interrupts() {
        return new InterruptInfo(0, 0, 0);
    }

    @Override
    public boolean reset() {
        return false;
    }

    @Override
    public synchronized void close() {
        releases.all();
    }
}
