package io.doorbell.pci.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A process that drives a function, by a device file that it has open.
 *
 * @param file absolute, as it is opened
 */
public record Holder(long pid, String command, Path file) {

    /**
     * Looks through {@code /proc/*}{@code /fd}. Processes of other users stay unseen unless this one is root.
     *
     * @param root of the file tree, {@code /} but in tests
     * @param address of the function
     */
    public static List<Holder> of(Path root, String address) {
        List<Path> files = files(root, address);
        List<Holder> holders = new ArrayList<>();
        if (files.isEmpty()) {
            return holders;
        }
        for (Path process : HostFiles.list(root.resolve("proc"), "[0-9]*")) {
            HostFiles.list(process.resolve("fd"), "*").stream()
                    .map(HostFiles::target)
                    .flatMap(Optional::stream)
                    .filter(files::contains)
                    .findFirst()
                    .ifPresent(file -> holders.add(new Holder(
                            Long.parseLong(process.getFileName().toString()),
                            HostFiles.text(process.resolve("comm")).orElse("?"),
                            file)));
        }
        return holders;
    }

    /** By its group (the first two), of its own since Linux 6.6 (VFIO's {@code devices}), and by UIO. */
    private static List<Path> files(Path root, String address) {
        Path directory = root.resolve("sys/bus/pci/devices").resolve(address);
        Path dev = root.resolve("dev");
        List<Path> files = new ArrayList<>();
        HostFiles.linkName(directory.resolve("iommu_group")).ifPresent(group -> {
            files.add(dev.resolve("vfio").resolve(group));
            files.add(dev.resolve("vfio").resolve("noiommu-" + group));
        });
        HostFiles.list(directory.resolve("vfio-dev"), "vfio*")
                .forEach(own -> files.add(dev.resolve("vfio/devices").resolve(own.getFileName())));
        HostFiles.list(directory.resolve("uio"), "uio*").forEach(uio -> files.add(dev.resolve(uio.getFileName())));
        return files;
    }

    /** As a person reads it: {@code process 4711 (java)}. */
    @Override
    public String toString() {
        return "process " + pid + " (" + command + ")";
    }
}
