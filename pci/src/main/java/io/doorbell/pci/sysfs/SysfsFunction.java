package io.doorbell.pci.sysfs;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.PhysicalDmaSpace;
import io.doorbell.dma.cleanup.Releases;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.pci.Bar;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.pci.InterruptInfo;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciFunction;
import io.doorbell.pci.PciId;
import io.doorbell.pci.PciResource;
import io.doorbell.pci.region.Region;
import io.doorbell.pci.region.Region.Area;
import io.doorbell.pci.region.RegionBar;
import io.doorbell.pci.region.RegionConfigSpace;
import io.doorbell.pci.region.RegionFile;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A function by its files {@code config}, {@code resource0} to {@code resource5} and {@code reset}. */
final class SysfsFunction implements PciFunction {

    private static final int CONFIG = 7;

    private final Kernel kernel;
    private final PciDevice device;
    private final Path directory;
    private final ConfigSpace config;
    private final DmaSpace dma;
    private final Map<Integer, RegionBar> bars = new HashMap<>();
    private final Releases releases;
    private final Lifetime lifetime;
    /** Whether bus mastering is known to be off; true as long as nobody was given memory. */
    private boolean quiet = true;

    private boolean closed;

    /** @param whenClosed is told when all is released */
    static SysfsFunction open(PciBus bus, Kernel kernel, PciDevice device, Consumer<SysfsFunction> whenClosed) {
        Releases releases = new Releases();
        try {
            return new SysfsFunction(bus, kernel, device, releases, whenClosed);
        } catch (Throwable e) {
            releases.allAfter(e);
            throw e;
        }
    }

    /** What is added to {@code releases} here is undone in the reverse order, by {@link #close} or by our caller. */
    private SysfsFunction(
            PciBus bus, Kernel kernel, PciDevice device, Releases releases, Consumer<SysfsFunction> whenClosed) {
        this.kernel = kernel;
        this.device = device;
        this.releases = releases;
        this.lifetime = new Lifetime(device.address().toString());
        releases.add(() -> whenClosed.accept(this));
        this.directory = bus.root()
                .resolve("sys/bus/pci/devices")
                .resolve(device.address().toString());
        int fd = openFile("config");
        RegionFile file = new RegionFile(kernel, fd, new Region(CONFIG, kernel.fileSize(fd), 0, List.of()), lifetime);
        releases.add(file::close);
        this.config = new RegionConfigSpace(file);
        this.dma = new PhysicalDmaSpace(kernel, lifetime);
        releases.add(this::freeMemory);

        // A driver that has gone may have turned these off.
        int decode = ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY;
        config.busMaster(false);
        config.write16(ConfigSpace.COMMAND, config.read16(ConfigSpace.COMMAND) | decode);
        releases.add(this::reset);
    }

    /** Opens a file of the function's; it closes with the function. */
    private int openFile(String name) {
        Path file = directory.resolve(name);
        try {
            int fd = kernel.open(file.toString(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
            releases.add(() -> kernel.close(fd));
            return fd;
        } catch (KernelException e) {
            throw new DoorbellException(
                    "cannot open " + file + ": " + e.reason() + "; sysfs lets only root write it, and not where the"
                            + " kernel is locked down (Secure Boot)",
                    e);
        }
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
        return config;
    }

    @Override
    public synchronized Bar bar(int number) {
        if (closed) {
            throw lifetime.over();
        }
        return bars.computeIfAbsent(number, this::openBar);
    }

    private RegionBar openBar(int number) {
        PciResource resource = device.resources().stream()
                .filter(each -> each.number() == number && number <= 5)
                .findFirst()
                .orElseThrow(() -> new DoorbellException(address() + " has no BAR " + number));
        // I/O ports cannot be mapped: the kernel reads and writes them, one access a system call.
        List<Area> mappable = resource.isIo() ? List.of() : List.of(new Area(0, resource.size()));
        RegionBar bar = RegionBar.open(
                kernel, openFile("resource" + number), new Region(number, resource.size(), 0, mappable), lifetime);
        releases.add(bar::close);
        return bar;
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    /** None: sysfs does not pass them on. */
    @Override
    public InterruptInfo interrupts() {
        return new InterruptInfo(0, 0, 0);
    }

    @Override
    public synchronized boolean reset() {
        quiet = false;
        config.busMaster(false);
        quiet = true;
        if (device.resettable()) {
            write("reset", "1");
        }
        return device.resettable();
    }

    /** No IOMMU stands between: a device that may still be at work keeps its memory, which is nobody else's then. */
    private void freeMemory() {
        if (!quiet) {
            throw new DoorbellException(address() + " could not be kept from its memory, which stays allocated"
                    + " therefore until the process ends");
        }
        dma.close();
    }

    private void write(String name, String text) {
        int fd = kernel.open(directory.resolve(name).toString(), Kernel.O_WRONLY | Kernel.O_CLOEXEC);
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            kernel.pwrite(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), 0);
        } finally {
            kernel.close(fd);
        }
    }

    /** Ends all DMA. Runs when the JVM ends with the function open. */
    synchronized void quiesce() {
        if (!closed) {
            reset();
        }
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
