package io.doorbell.pci;

import io.doorbell.pci.host.HostFiles;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** Reads the directories under {@code /sys/bus/pci/devices} (Linux: Documentation/ABI/testing/sysfs-bus-pci). */
final class SysfsDevices {

    private static final int IFF_UP = 1;

    private final Function<String, List<InetAddress>> addressesOf;
    private final Set<String> defaultRoutes;

    SysfsDevices(Path root, Function<String, List<InetAddress>> addressesOf) {
        this.addressesOf = addressesOf;
        this.defaultRoutes = DefaultRoutes.interfaces(root.resolve("proc"));
    }

    /** The function in this directory; empty when there is none, or no longer one. */
    Optional<PciDevice> read(Path directory) {
        Optional<PciId> id = id(directory, "vendor", "device");
        Optional<Long> classCode = HostFiles.number(directory.resolve("class"));
        if (id.isEmpty() || classCode.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new PciDevice(
                PciAddress.parse(directory.getFileName().toString()),
                id.get(),
                id(directory, "subsystem_vendor", "subsystem_device").orElse(new PciId(0, 0)),
                classCode.get().intValue(),
                HostFiles.linkName(directory.resolve("driver")),
                interfaces(directory),
                HostFiles.linkName(directory.resolve("iommu_group")).map(Integer::valueOf),
                // -1 says that the machine has one node, or that its firmware does not tell.
                integer(directory.resolve("numa_node")).filter(node -> node >= 0),
                link(directory),
                resources(directory),
                Files.exists(directory.resolve("reset"))));
    }

    private static Optional<PciId> id(Path directory, String vendor, String device) {
        return integer(directory.resolve(vendor))
                .flatMap(v -> integer(directory.resolve(device)).map(d -> new PciId(v, d)));
    }

    private static Optional<Integer> integer(Path file) {
        return HostFiles.number(file).map(Long::intValue);
    }

    /** Most drivers put {@code net} right below the function; virtio puts a device of its own in between. */
    private List<NetInterface> interfaces(Path directory) {
        return Stream.concat(Stream.of(directory), HostFiles.list(directory, "virtio[0-9]*").stream())
                .flatMap(parent -> HostFiles.list(parent.resolve("net"), "*").stream())
                .map(this::netInterface)
                .toList();
    }

    private NetInterface netInterface(Path net) {
        String name = net.getFileName().toString();
        return new NetInterface(
                name,
                HostFiles.text(net.resolve("address")).orElse(""),
                HostFiles.text(net.resolve("operstate")).orElse("unknown"),
                integer(net.resolve("flags"))
                        .filter(flags -> (flags & IFF_UP) != 0)
                        .isPresent(),
                integer(net.resolve("carrier")).map(carrier -> carrier == 1),
                integer(net.resolve("speed")).filter(speed -> speed > 0),
                addressesOf.apply(name),
                defaultRoutes.contains(name));
    }

    private static Optional<PciLink> link(Path directory) {
        Optional<String> speed = HostFiles.text(directory.resolve("current_link_speed"));
        Optional<Integer> width = integer(directory.resolve("current_link_width"));
        Optional<String> maxSpeed = HostFiles.text(directory.resolve("max_link_speed"));
        Optional<Integer> maxWidth = integer(directory.resolve("max_link_width"));
        if (speed.isEmpty() || width.isEmpty() || maxSpeed.isEmpty() || maxWidth.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new PciLink(speed.get(), width.get(), maxSpeed.get(), maxWidth.get()));
    }

    /** A line a resource: first address, last address, flags. The ROM follows the six BARs; what comes then is a bridge's. */
    private static List<PciResource> resources(Path directory) {
        List<PciResource> resources = new ArrayList<>();
        List<String> lines = HostFiles.lines(directory.resolve("resource"));
        for (int number = 0; number < Math.min(7, lines.size()); number++) {
            String[] field = lines.get(number).strip().split(" ", -1);
            long first = Long.parseUnsignedLong(field[0].substring(2), 16);
            long last = Long.parseUnsignedLong(field[1].substring(2), 16);
            long flags = Long.parseUnsignedLong(field[2].substring(2), 16);
            if (flags != 0 && last != 0) {
                resources.add(new PciResource(number, first, last - first + 1, flags));
            }
        }
        return resources;
    }
}
