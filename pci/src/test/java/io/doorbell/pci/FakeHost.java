package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.FakeKernel;
import io.doorbell.dma.kernel.KernelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import jnr.constants.platform.Errno;

/**
 * A machine in a temporary directory: files as sysfs and procfs would show them, and a kernel that binds and unbinds
 * drivers when the right files are written.
 */
public final class FakeHost {

    private final Path root;
    private final FakeKernel kernel = new FakeKernel();
    private final Map<String, String> overrides = new HashMap<>();
    private final Map<String, String> preferred = new HashMap<>();
    private final Map<String, List<InetAddress>> addresses = new HashMap<>();
    private final Map<String, List<Route>> routes = new HashMap<>();
    private final Set<String> elsewhere = new HashSet<>();

    public FakeHost(Path root) {
        this.root = root;
        directory("sys/bus/pci/devices");
        directory("sys/bus/pci/drivers");
        kernel.onText(path("sys/bus/pci/drivers_probe"), address -> {
            String driver = overrides.getOrDefault(address, preferred.get(address));
            if (driver != null) {
                link(address, driver);
            }
        });
    }

    public FakeKernel kernel() {
        return kernel;
    }

    public PciBus bus() {
        return new PciBus(root, new HostNetwork() {
            @Override
            public List<InetAddress> addresses(String name) {
                if (elsewhere.contains(name)) {
                    throw new DoorbellException(name + " is elsewhere");
                }
                return addresses.getOrDefault(name, List.of());
            }

            @Override
            public List<Route> routes(String name) {
                return routes.getOrDefault(name, List.of());
            }
        });
    }

    public DriverBinding binding() {
        return new DriverBinding(bus(), kernel);
    }

    public String path(String relative) {
        return root.resolve(relative).toString();
    }

    /** Loads a driver. */
    public FakeHost driver(String name) {
        directory("sys/bus/pci/drivers/" + name);
        kernel.onText(path("sys/bus/pci/drivers/" + name + "/bind"), address -> link(address, name));
        kernel.onText(path("sys/bus/pci/drivers/" + name + "/unbind"), address -> unlink(address, name));
        return this;
    }

    /** Plugs in a function that no driver has. */
    public FakeHost function(String address, String vendor, String device, String classCode) {
        String directory = "sys/bus/pci/devices/" + address;
        file(directory + "/vendor", "0x" + vendor);
        file(directory + "/device", "0x" + device);
        file(directory + "/subsystem_vendor", "0x" + vendor);
        file(directory + "/subsystem_device", "0xa03c");
        file(directory + "/class", "0x" + classCode);
        file(directory + "/numa_node", "-1");
        kernel.onText(path(directory + "/driver_override"), text -> {
            if (text.isBlank()) {
                overrides.remove(address);
            } else {
                overrides.put(address, text.strip());
            }
        });
        return this;
    }

    /** An 82576 in a group of its own, driven by igb. */
    public FakeHost igb(String address, int group) {
        return driver("igb")
                .function(address, "8086", "10c9", "020000")
                .group(address, group)
                .bound(address, "igb");
    }

    public FakeHost group(String address, int group) {
        directory("sys/kernel/iommu_groups/" + group);
        symlink("sys/bus/pci/devices/" + address + "/iommu_group", "../../../../kernel/iommu_groups/" + group);
        return this;
    }

    /** Binds the function to a driver, which is the one that the kernel would choose for it. */
    public FakeHost bound(String address, String driver) {
        preferred.put(address, driver);
        driver(driver);
        link(address, driver);
        return this;
    }

    /** Gives the function's driver a network interface. */
    public FakeHost net(String address, String name, boolean up, InetAddress... itsAddresses) {
        String net = "sys/bus/pci/devices/" + address + "/net/" + name;
        directory("sys/class/net/" + name);
        file(net + "/address", "02:00:00:00:00:01");
        file(net + "/operstate", up ? "up" : "down");
        file(net + "/flags", up ? "0x1003" : "0x1002");
        if (up) {
            file(net + "/carrier", "1");
            file(net + "/speed", "1000");
        }
        addresses.put(name, List.of(itsAddresses));
        return this;
    }

    public FakeHost route(String name, String destination, long table) {
        routes.put(name, List.of(new Route(destination, table)));
        return this;
    }

    /** Makes the interface one that the network does not know. */
    public FakeHost unknown(String name) {
        elsewhere.add(name);
        return this;
    }

    /** Puts an interface on top of one of the function's; its master if {@code master}, as a bridge is. */
    public FakeHost upper(String address, String name, String upper, boolean master) {
        String net = "sys/bus/pci/devices/" + address + "/net/" + name;
        symlink(net + "/upper_" + upper, "../../../../../virtual/net/" + upper);
        if (master) {
            symlink(net + "/master", "../../../../../virtual/net/" + upper);
        }
        return this;
    }

    /** A process that has a file open. */
    public FakeHost process(int pid, String command, String openFile) {
        file("proc/" + pid + "/comm", command);
        directory("proc/" + pid + "/fd");
        symlink("proc/" + pid + "/fd/7", path(openFile));
        return this;
    }

    public FakeHost file(String relative, String text) {
        try {
            Path file = root.resolve(relative);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text + "\n");
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public FakeHost directory(String relative) {
        try {
            Files.createDirectories(root.resolve(relative));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void symlink(String relative, String target) {
        try {
            Path link = root.resolve(relative);
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, Path.of(target));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void link(String address, String driver) {
        symlink("sys/bus/pci/devices/" + address + "/driver", "../../../../bus/pci/drivers/" + driver);
    }

    /** The driver takes its network interface along. */
    private void unlink(String address, String driver) {
        Path device = root.resolve("sys/bus/pci/devices").resolve(address);
        try {
            if (!Files.readSymbolicLink(device.resolve("driver")).endsWith(driver)) {
                throw new KernelException("pwrite", Errno.ENODEV, "");
            }
            Files.delete(device.resolve("driver"));
            if (Files.exists(device.resolve("net"))) {
                try (Stream<Path> files = Files.walk(device.resolve("net"))) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
