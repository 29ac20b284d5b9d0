package io.doorbell.pci;

import io.doorbell.pci.host.HostFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Names of vendors and devices, from the {@code pci.ids} of package hwdata or pci.ids, where the machine has one. */
public final class PciNames {

    private static final List<String> PLACES = List.of("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids");

    private final Map<Integer, String> vendors = new HashMap<>();
    private final Map<PciId, String> devices = new HashMap<>();

    private PciNames() {}

    /** The names that the machine knows; none of them where it has no such file. */
    public static PciNames system() {
        return under(Path.of("/"));
    }

    /** The names that a machine knows whose files are below {@code root}. */
    public static PciNames under(Path root) {
        PciNames names = new PciNames();
        PLACES.stream().map(root::resolve).filter(Files::isReadable).findFirst().ifPresent(names::read);
        return names;
    }

    public Optional<String> vendor(PciId id) {
        return Optional.ofNullable(vendors.get(id.vendor()));
    }

    public Optional<String> device(PciId id) {
        return Optional.ofNullable(devices.get(id));
    }

    /**
     * Vendors start a line, their devices are behind one tab, subsystems behind two; classes ({@code C 00}) end the part
     * that is of interest.
     */
    private void read(Path file) {
        int vendor = -1;
        for (String line : HostFiles.lines(file)) {
            if (line.startsWith("C ")) {
                return;
            }
            if (line.matches("[0-9a-f]{4}  .*")) {
                vendor = Integer.parseInt(line.substring(0, 4), 16);
                vendors.put(vendor, line.substring(6));
            } else if (line.matches("\t[0-9a-f]{4}  .*")) {
                devices.put(new PciId(vendor, Integer.parseInt(line.substring(1, 5), 16)), line.substring(7));
            }
        }
    }
}
