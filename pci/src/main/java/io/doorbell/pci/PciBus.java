package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.pci.host.HostFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The PCI functions of the machine, as sysfs shows them. Each call looks anew. Thread-safe. */
public final class PciBus {

    private static final String DEVICES = "sys/bus/pci/devices";

    private final Path root;
    private final HostNetwork network;

    /**
     * A bus in another file tree, as a test makes one.
     *
     * @param root holds {@code sys}, {@code proc}, {@code dev} and {@code run}
     * @param network that the interfaces of its functions are in
     */
    public PciBus(Path root, HostNetwork network) {
        this.root = root;
        this.network = network;
    }

    /** The machine that we run on. */
    public static PciBus system() {
        return new PciBus(Path.of("/"), HostNetwork.linux());
    }

    /** What this machine has at the address, in one line; empty when {@code name} has not the form of one. */
    public static Optional<String> describe(String name) {
        return PciAddress.isAddress(name)
                ? Optional.of(system().find(PciAddress.parse(name)).describe())
                : Optional.empty();
    }

    /** The top of the file tree that the bus is in: {@code /} but in tests. */
    public Path root() {
        return root;
    }

    /** Every function of every domain, in the order of their addresses. */
    public List<PciDevice> devices() {
        SysfsDevices sysfs = new SysfsDevices(network);
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
        return new SysfsDevices(network)
                .read(directory(address))
                .orElseThrow(() -> new DoorbellException("there is no PCI function " + address
                        + " on this machine: 'nicctl list' shows the NICs that there are"));
    }

    /**
     * What the machine uses the function for, which ends when the function is taken from its driver. What cannot be
     * found out counts as a use.
     *
     * @return a clause a use, such as {@code eth0 carries a default route}
     */
    public List<String> uses(PciAddress address) {
        return Uses.of(root, directory(address), network);
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
}
