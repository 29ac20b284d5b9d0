package io.doorbell.tools.host;

import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.HostNetwork;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.Route;
import io.doorbell.tools.text.CapturedConsole;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A machine of files: its PCI functions as sysfs would show them. Nothing happens when its files are written. */
public final class FakeSysfs {

    private final Path root;

    public FakeSysfs(Path root) throws IOException {
        this.root = root;
        Files.createDirectories(root.resolve("sys/bus/pci/devices"));
        Files.createDirectories(root.resolve("sys/bus/pci/drivers/vfio-pci"));
    }

    /** Adds a function that is bound to {@code driver}, or to none if that is empty. */
    public FakeSysfs function(String address, String vendor, String device, String classCode, String driver)
            throws IOException {
        Path directory = device(address);
        write(directory.resolve("vendor"), "0x" + vendor);
        write(directory.resolve("device"), "0x" + device);
        write(directory.resolve("class"), "0x" + classCode);
        Files.write(directory.resolve("config"), new byte[64]);
        if (!driver.isEmpty()) {
            Path target =
                    Files.createDirectories(root.resolve("sys/bus/pci/drivers").resolve(driver));
            Files.createSymbolicLink(directory.resolve("driver"), target);
        }
        return this;
    }

    public FakeSysfs igb(String address, String driver) throws IOException {
        return function(address, "8086", "10c9", "020000", driver);
    }

    public FakeSysfs group(String address, int number) throws IOException {
        Path group =
                Files.createDirectories(root.resolve("sys/kernel/iommu_groups").resolve(String.valueOf(number)));
        Files.createSymbolicLink(device(address).resolve("iommu_group"), group);
        return this;
    }

    /** Gives a function an interface that is up, with a link of 1000 Mb/s and some counters. */
    public FakeSysfs net(String address, String name) throws IOException {
        Path net = device(address).resolve("net").resolve(name);
        write(net.resolve("address"), "02:00:00:00:00:01");
        write(net.resolve("flags"), "0x1003");
        write(net.resolve("carrier"), "1");
        write(net.resolve("speed"), "1000");
        Path statistics = root.resolve("sys/class/net").resolve(name).resolve("statistics");
        write(statistics.resolve("rx_packets"), "1234567");
        write(statistics.resolve("tx_packets"), "89");
        return this;
    }

    /** Writes down that Doorbell took the function from a driver. */
    public FakeSysfs taken(String address, String driver) throws IOException {
        write(root.resolve("run/doorbell/former-driver").resolve(address), driver);
        return this;
    }

    /** The context of commands on this machine, whose interfaces all have 192.0.2.7 and a default route. */
    public Context context(CapturedConsole console) {
        PciBus bus = new PciBus(root, new HostNetwork() {
            @Override
            public List<InetAddress> addresses(String name) {
                return List.of(InetAddress.ofLiteral("192.0.2.7"));
            }

            @Override
            public List<Route> routes(String name) {
                return List.of(new Route("default", 254));
            }
        });
        return new Context(console.console(), bus, new DriverBinding(bus), List.of());
    }

    private Path device(String address) throws IOException {
        return Files.createDirectories(root.resolve("sys/bus/pci/devices").resolve(address));
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text + "\n");
    }
}
