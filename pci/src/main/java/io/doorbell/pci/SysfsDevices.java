package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.pci.host.HostFiles;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads the directories under {@code /sys/bus/pci/devices} (Linux: Documentation/ABI/testing/sysfs-bus-pci). */
final class SysfsDevices {

    private static final int IFF_UP = 1;

    private static final Pattern RESOURCE = Pattern.compile("0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})");

    private final HostNetwork network;

    SysfsDevices(HostNetwork network) {
        this.network = network;
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
                group(directory),
                // -1 says that the machine has one node, or that its firmware does not tell.
                integer(directory.resolve("numa_node")).filter(node -> node >= 0),
                link(directory),
                resources(directory),
                Files.exists(directory.resolve("reset"))));
    }

    private static Optional<Integer> group(Path directory) {
        return HostFiles.linkName(directory.resolve("iommu_group"))
                .filter(name -> name.matches("[0-9]{1,9}"))
                .map(Integer::valueOf);
    }

    private static Optional<PciId> id(Path directory, String vendor, String device) {
        return integer(directory.resolve(vendor))
                .flatMap(v -> integer(directory.resolve(device)).map(d -> new PciId(v, d)));
    }

    private static Optional<Integer> integer(Path file) {
        return HostFiles.number(file).map(Long::intValue);
    }

    /** Most drivers put {@code net} right below the function; virtio puts a device of its own in between. */
    static List<Path> parentsOfInterfaces(Path directory) {
        return Stream.concat(Stream.of(directory), HostFiles.list(directory, "virtio[0-9]*").stream())
                .toList();
    }

    private List<NetInterface> interfaces(Path directory) {
        return parentsOfInterfaces(directory).stream()
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
                addresses(name));
    }

    private List<InetAddress> addresses(String name) {
        try {
            return network.addresses(name);
        } catch (DoorbellException unknown) {
            return List.of();
        }
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
            Matcher line = RESOURCE.matcher(lines.get(number).strip());
            if (!line.matches()) {
                continue;
            }
            long first = Long.parseUnsignedLong(line.group(1), 16);
            long last = Long.parseUnsignedLong(line.group(2), 16);
            long flags = Long.parseUnsignedLong(line.group(3), 16);
            long size = last - first + 1;
            if (flags != 0 && last != 0 && size > 0) {
                resources.add(new PciResource(number, first, size, flags));
            }
        }
        return resources;
    }
}
