package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.cleanup.Releases;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.region.Region;
import io.doorbell.pci.region.RegionBar;
import io.doorbell.pci.region.RegionConfigSpace;
import io.doorbell.pci.region.RegionFile;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import jnr.constants.platform.Errno;
import org.jspecify.annotations.Nullable;

/** A function by its VFIO device descriptor. */
final class VfioFunction implements PciFunction {

    private static final int DEVICE_FLAG_RESET = 1;

    /** {@code VFIO_PCI_INTX_IRQ_INDEX} and so on. */
    private static final int INTX = 0;

    private static final int MSI = 1;

    private final PciAddress address;
    private final Kernel kernel;
    private final int fd;
    private final boolean resettable;
    private final List<Region> regions;
    private final RegionFile configFile;
    private final ConfigSpace config;
    private final PciId id;
    private final InterruptInfo interrupts;
    private final VfioInterrupts messages;
    private final boolean reportsErrors;
    private final boolean canBeRequested;
    private final VfioContainer container;
    private final DmaSpace dma;
    private final @Nullable RegionBar[] bars = new RegionBar[RegionInfo.BARS];
    private final Releases releases;
    private final Lifetime lifetime;
    private boolean watched;
    private boolean closed;

    /**
     * Opens a function of a group that the caller has taken.
     *
     * @param whenClosed run last, also when the function does not open
     */
    static VfioFunction open(Kernel kernel, VfioGroup group, PciAddress address, Runnable whenClosed) {
        Releases releases = new Releases();
        releases.add(whenClosed);
        try {
            int fd = group.openDevice(address);
            releases.add(() -> kernel.close(fd));
            return new VfioFunction(kernel, fd, address, group, releases);
        } catch (Throwable e) {
            releases.allAfter(e);
            throw e;
        }
    }

    /** What is added to {@code releases} here is undone in the reverse order, by {@link #close} or by our caller. */
    private VfioFunction(Kernel kernel, int fd, PciAddress address, VfioGroup group, Releases releases) {
        this.kernel = kernel;
        this.fd = fd;
        this.address = address;
        this.releases = releases;
        this.lifetime = new Lifetime(address.toString());
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct info = VfioStruct.of(arena, VfioStruct.DEVICE_INFO);
            info.call(kernel, fd, VfioIoctl.VFIO_DEVICE_GET_INFO, address.toString());
            this.resettable = (info.u32("flags") & DEVICE_FLAG_RESET) != 0;
            this.regions = readRegions(info.u32("num_regions"));
            this.interrupts = readInterrupts(info.u32("num_irqs"));
            this.reportsErrors = canReportErrors(info.u32("num_irqs"));
            this.canBeRequested = interruptCount(IrqSet.REQUEST, info.u32("num_irqs")) > 0;
        }
        this.messages = new VfioInterrupts(kernel, fd, address.toString());
        releases.add(messages::close);
        this.configFile = new RegionFile(kernel, fd, regions.get(RegionInfo.CONFIG), lifetime);
        releases.add(configFile::close);
        releases.add(this::unmapBars);

        this.config = new RegionConfigSpace(configFile);
        this.id = config.id();
        this.container = group.container();
        this.dma = group.dmaSpace(lifetime);
        releases.add(dma::close);

        // With memory decoding off, touching a mapped BAR would be a bus error, which ends the JVM.
        config.write16(ConfigSpace.COMMAND, config.read16(ConfigSpace.COMMAND) | ConfigSpace.COMMAND_MEMORY);
        releases.add(this::quiesce);
    }

    private List<Region> readRegions(int count) {
        if (count <= RegionInfo.CONFIG) {
            throw new DoorbellException(address + " is no PCI function to VFIO: it has " + count + " regions");
        }
        List<Region> read = new ArrayList<>();
        for (int index = 0; index <= RegionInfo.CONFIG; index++) {
            read.add(RegionInfo.read(kernel, fd, index));
        }
        return List.copyOf(read);
    }

    private InterruptInfo readInterrupts(int kinds) {
        return new InterruptInfo(
                interruptCount(INTX, kinds), interruptCount(MSI, kinds), interruptCount(IrqSet.MSIX, kinds));
    }

    /** Of a function that is not on PCI Express, the kernel does not answer that question at all. */
    private boolean canReportErrors(int kinds) {
        try {
            return interruptCount(IrqSet.ERROR, kinds) > 0;
        } catch (KernelException e) {
            if (e.errno() == Errno.EINVAL) {
                return false;
            }
            throw e;
        }
    }

    private int interruptCount(int index, int kinds) {
        if (index >= kinds) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct info = VfioStruct.of(arena, VfioStruct.IRQ_INFO).u32("index", index);
            info.call(kernel, fd, VfioIoctl.VFIO_DEVICE_GET_IRQ_INFO, address + " index=" + index);
            return info.u32("count");
        }
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
    public synchronized Bar bar(int number) {
        requireOpen();
        if (number < 0 || number >= RegionInfo.BARS || regions.get(number).size() == 0) {
            throw new DoorbellException(address + " has no BAR " + number + ": it has " + describeBars());
        }
        RegionBar bar = bars[number];
        if (bar == null) {
            bar = RegionBar.open(kernel, fd, regions.get(number), lifetime);
            bars[number] = bar;
        }
        return bar;
    }

    private String describeBars() {
        List<String> present = new ArrayList<>();
        for (Region region : regions.subList(0, RegionInfo.BARS)) {
            if (region.size() != 0) {
                present.add(region.index() + " (" + ByteSize.of(region.size()) + ")");
            }
        }
        return present.isEmpty() ? "none" : "BARs " + String.join(", ", present);
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    @Override
    public InterruptInfo interrupts() {
        return interrupts;
    }

    @Override
    public synchronized List<EventFd> msix(int count) {
        requireOpen();
        return messages.enable(count, interrupts.msix());
    }

    @Override
    public synchronized void onLoss(Consumer<String> listener) {
        requireOpen();
        if (watched) {
            throw new IllegalStateException(address + " has a listener for its loss already");
        }
        if (canBeRequested) {
            releases.add(LossWatch.start(kernel, fd, address.toString(), reportsErrors, listener)::close);
            watched = true;
        }
    }

    @Override
    public synchronized boolean reset() {
        requireOpen();
        // The kernel puts configuration space back after the reset as it finds it before.
        config.busMaster(false);
        if (resettable) {
            VfioIoctl.VFIO_DEVICE_RESET.call(kernel, fd, 0, address.toString());
        }
        return resettable;
    }

    VfioReport report() {
        return new VfioReport(
                regions.subList(0, RegionInfo.CONFIG).stream()
                        .filter(region -> region.size() != 0)
                        .map(VfioReport::region)
                        .toList(),
                interrupts,
                resettable,
                container.permitted(),
                container.pageSize());
    }

    private void requireOpen() {
        if (closed) {
            throw lifetime.over();
        }
    }

    /** Ends all DMA. Runs from {@link #close}, and when the JVM ends with the function open. */
    synchronized void quiesce() {
        if (!closed) {
            reset();
        }
    }

    private void unmapBars() {
        Releases mapped = new Releases();
        for (RegionBar bar : bars) {
            if (bar != null) {
                mapped.add(bar::close);
            }
        }
        mapped.all();
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            lifetime.end();
            try {
                releases.all();
            } finally {
                closed = true;
            }
        }
    }
}
