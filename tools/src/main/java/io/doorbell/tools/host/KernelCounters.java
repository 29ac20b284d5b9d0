package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import io.doorbell.pci.PciBus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The counters of a network interface, a file each (Linux: Documentation/ABI/testing/sysfs-class-net-statistics). */
public final class KernelCounters {

    private KernelCounters() {}

    /** By name, in alphabetic order. */
    public static SequencedMap<String, Long> of(PciBus bus, String netInterface) {
        Path directory =
                bus.root().resolve("sys/class/net").resolve(netInterface).resolve("statistics");
        SequencedMap<String, Long> counters = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                counters.put(
                        file.getFileName().toString(),
                        Long.valueOf(Files.readString(file).strip()));
            }
        } catch (IOException | NumberFormatException e) {
            throw new DoorbellException("cannot read the counters in " + directory + ": " + e.getMessage(), e);
        }
        return counters;
    }
}
