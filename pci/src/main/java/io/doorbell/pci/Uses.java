package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.pci.host.HostFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What the machine uses a function for, as far as its kernel knows: whoever takes the function from its driver puts an
 * end to it. What cannot be found out counts as a use, since the question is whether it is safe to go on.
 */
final class Uses {

    private static final int IFF_UP = 0x1;
    private static final int IFF_PROMISC = 0x100;

    private final Path root;
    private final HostNetwork network;
    private final List<String> found = new ArrayList<>();

    private Uses(Path root, HostNetwork network) {
        this.root = root;
        this.network = network;
    }

    /**
     * Each in a clause of its own, such as {@code eth0 carries a default route}.
     *
     * @param directory where sysfs keeps the function
     */
    static List<String> of(Path root, Path directory, HostNetwork network) {
        Uses uses = new Uses(root, network);
        uses.lookAtFunction(directory);
        return List.copyOf(uses.found);
    }

    private void lookAtFunction(Path directory) {
        virtualFunctions(directory.resolve("sriov_numvfs"));
        for (Path parent : SysfsDevices.parentsOfInterfaces(directory)) {
            Path net = parent.resolve("net");
            try {
                List<Path> interfaces = HostFiles.listOrFail(net, "*");
                if (interfaces.isEmpty()) {
                    // The kernel removes the folder with the last interface: there is one that it does not show us.
                    found.add("its network interface is in another network namespace, such as a container's");
                }
                interfaces.forEach(this::lookAtInterface);
            } catch (NoSuchFileException none) {
                // no driver made an interface of it
            } catch (IOException e) {
                unknown("the interfaces of it", net, e);
            }
        }
    }

    private void virtualFunctions(Path file) {
        try {
            String count = Files.readString(file).strip();
            if (!count.equals("0")) {
                found.add("it has virtual functions (" + count + "), which go with it ('echo 0 > " + file
                        + "' ends them)");
            }
        } catch (NoSuchFileException none) {
            // it cannot have any
        } catch (IOException e) {
            unknown("how many virtual functions it has", file, e);
        }
    }

    private void lookAtInterface(Path net) {
        String name = net.getFileName().toString();
        layersAbove(net, name);
        Optional<Long> flags = HostFiles.number(net.resolve("flags"));
        if (flags.isEmpty()) {
            found.add(name + " may be up: " + net.resolve("flags") + " cannot be read");
        }
        long bits = flags.orElse((long) IFF_UP);
        boolean up = (bits & IFF_UP) != 0;
        if (up && (bits & IFF_PROMISC) != 0) {
            found.add(name + " is in promiscuous mode: somebody captures or forwards what it receives");
        }
        if (HostFiles.lines(root.resolve("proc/net/pppoe")).stream()
                .anyMatch(session -> session.strip().endsWith(" " + name))) {
            found.add(name + " carries a PPPoE session");
        }
        try {
            String addresses = configured(name);
            if (up && !addresses.isEmpty()) {
                found.add(name + " is up with address " + addresses);
            }
            network.routes(name).forEach(route -> found.add(name + " carries " + route));
        } catch (DoorbellException e) {
            found.add("what " + name + " is used for cannot be found out (" + e.getMessage() + ")");
        }
    }

    /** A link-local address says nothing: each interface that is up gives itself one. */
    private String configured(String name) {
        return network.addresses(name).stream()
                .filter(address -> !address.isLinkLocalAddress())
                .map(InetAddress::getHostAddress)
                .map(text -> text.replaceFirst("%.*", ""))
                .collect(Collectors.joining(", "));
    }

    /** Bridges and bonds are masters of what they are made of; VLANs and the like are above it without being that. */
    private void layersAbove(Path net, String name) {
        try {
            Optional<String> master = HostFiles.linkName(net.resolve("master"));
            master.ifPresent(above -> found.add(name + " is part of " + described(above)));
            for (Path upper : HostFiles.listOrFail(net, "upper_*")) {
                String above = upper.getFileName().toString().substring("upper_".length());
                if (!master.equals(Optional.of(above))) {
                    found.add(name + " carries " + described(above));
                }
            }
        } catch (IOException e) {
            unknown("what is built on " + name, net, e);
        }
    }

    /** With its kind, where the kernel has a word for that: {@code br0 (bridge)}. */
    private String described(String above) {
        return HostFiles.lines(root.resolve("sys/class/net").resolve(above).resolve("uevent")).stream()
                .filter(line -> line.startsWith("DEVTYPE="))
                .findFirst()
                .map(line -> above + " (" + line.substring("DEVTYPE=".length()) + ")")
                .orElse(above);
    }

    private void unknown(String what, Path file, IOException e) {
        found.add(what + " cannot be found out (" + file + ": " + e + ")");
    }
}
