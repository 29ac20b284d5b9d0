package io.doorbell.pci.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that has a device file open. */
public record Holder(long pid, String command) {

    /**
     * Looks through {@code /proc/*}{@code /fd}. Processes of other users stay unseen unless this one is root.
     *
     * @param root of the file tree, {@code /} but in tests
     * @param file absolute, as it is opened
     */
    public static List<Holder> of(Path root, Path file) {
        List<Holder> holders = new ArrayList<>();
        for (Path process : HostFiles.list(root.resolve("proc"), "[0-9]*")) {
            boolean holds = HostFiles.list(process.resolve("fd"), "*").stream()
                    .anyMatch(fd -> HostFiles.target(fd).filter(file::equals).isPresent());
            if (holds) {
                holders.add(new Holder(
                        Long.parseLong(process.getFileName().toString()),
                        HostFiles.text(process.resolve("comm")).orElse("?")));
            }
        }
        return holders;
    }

    /** As a person reads it: {@code process 4711 (java)}. */
    @Override
    public String toString() {
        return "process " + pid + " (" + command + ")";
    }
}
