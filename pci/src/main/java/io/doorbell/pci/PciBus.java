package io.doorbell.pci;

import io.doorbell.dma.DoorbellException;
import io.doorbell.pci.host.HostFiles;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The PCI functions of the machine, as sysfs shows them. Each call looks anew. Thread-safe. */
public final class PciBus {

    private static final String DEVICES = "sys/bus/pci/devices";

    private final Path root;
    private final Function<String, List<InetAddress>> addressesOf;

    /**
     * A bus in another file tree, as a test makes one.
     *
     * @param root holds {@code sys}, {@code proc}, {@code dev} and {@code run}
     * @param addressesOf the addresses of the interface with a certain name
     */
    public PciBus(Path root, Function<String, List<InetAddress>> addressesOf) {
        this.root = root;
        this.addressesOf = addressesOf;
    }

    /** The machine that we run on. */
    public static PciBus system() {
        return new PciBus(Path.of("/"), PciBus::addressesHere);
    }

    /** The top of the file tree that the bus is in: {@code /} but in tests. */
    public Path root() {
        return root;
    }

    /** Every function of every domain, in the order of their addresses. */
    public List<PciDevice> devices() {
        SysfsDevices sysfs = new SysfsDevices(root, addressesOf);
        return HostFiles.list(root.resolve(DEVICES), "*").stream()
                .filter(path -> PciAddress.isAddress(path.getFileName().toString()))
                .map(sysfs::read)
                .flatMap(Optional::stream)
                .sorted((a, b) -> a.address().compareTo(b.address()))
                .toList();
    }

    /**
     * The function at this address.
     *
     * @throws DoorbellException when there is none
     */
    public PciDevice find(PciAddress address) {
        return new SysfsDevices(root, addressesOf)
                .read(directory(address))
                .orElseThrow(() -> new DoorbellException("there is no PCI function " + address
                        + " on this machine: 'nicctl list' shows the NICs that there are"));
    }

    /** The functions that share this IOMMU group. */
    public List<PciDevice> group(int iommuGroup) {
        return devices().stream()
                .filter(device ->
                        device.iommuGroup().filter(group -> group == iommuGroup).isPresent())
                .toList();
    }

    /** Whether the kernel has this PCI driver, built in or loaded. */
    boolean hasDriver(String driver) {
        return Files.isDirectory(root.resolve("sys/bus/pci/drivers").resolve(driver));
    }

    /** Where sysfs keeps the function. */
    Path directory(PciAddress address) {
        return root.resolve(DEVICES).resolve(address.toString());
    }

    private static List<InetAddress> addressesHere(String name) {
        try {
            NetworkInterface found = NetworkInterface.getByName(name);
            return found == null ? List.of() : found.inetAddresses().toList();
        } catch (SocketException e) {
            return List.of();
        }
    }
}
