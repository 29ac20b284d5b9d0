package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.pci.host.HostFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which driver each function had before we took it: a file a function under {@code /run/doorbell}, so that another
 * process can give the function back. {@code /run} is empty after a boot, as the bindings are.
 */
final class FormerDrivers {

    /** A function that had no driver is written down too: it is to have none again. */
    private static final String NONE = "none";

    private final Path directory;

    FormerDrivers(Path root) {
        this.directory = root.resolve("run/doorbell/former-driver");
    }

    void remember(PciAddress address, Optional<String> driver) {
        try {
            Files.createDirectories(directory);
            Files.writeString(file(address), driver.orElse(NONE) + "\n");
        } catch (IOException e) {
            throw cannot("write", address, e);
        }
    }

    boolean knows(PciAddress address) {
        return Files.exists(file(address));
    }

    /** The driver that the function had; empty when it had none, or when nothing is known. */
    Optional<String> of(PciAddress address) {
        return HostFiles.text(file(address)).filter(driver -> !driver.equals(NONE));
    }

    void forget(PciAddress address) {
        try {
            Files.deleteIfExists(file(address));
        } catch (IOException e) {
            throw cannot("delete", address, e);
        }
    }

    private Path file(PciAddress address) {
        return directory.resolve(address.toString());
    }

    private DoorbellException cannot(String verb, PciAddress address, IOException e) {
        return new DoorbellException(
                "cannot " + verb + " " + file(address) + ", which keeps the former driver: " + e + "; run as root", e);
    }
}
