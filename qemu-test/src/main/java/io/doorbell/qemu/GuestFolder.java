package io.doorbell.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** The files and sockets of one guest, on the host; closing deletes them. */
record GuestFolder(Path path) implements AutoCloseable {

    static GuestFolder create() {
        try {
            GuestFolder folder = new GuestFolder(Files.createTempDirectory("doorbell-guest"));
            Files.createDirectory(folder.jobs());
            return folder;
        } catch (IOException e) {
            throw new QemuException("cannot create a folder for the guest: " + e.getMessage(), e);
        }
    }

    /** A folder for each command that the guest ran; the guest sees it as {@code /run/doorbell/jobs}. */
    Path jobs() {
        return path.resolve("jobs");
    }

    Path initramfs() {
        return path.resolve("initramfs");
    }

    /** What the guest's kernel and QEMU have to say. */
    Path console() {
        return path.resolve("console");
    }

    Path agent() {
        return path.resolve("agent");
    }

    Path qmp() {
        return path.resolve("qmp");
    }

    /** Where the peer at the other end of a wire listens. */
    Path socket(Wire wire) {
        return path.resolve(
                switch (wire) {
                    case Wire.Cable(int number) -> "cable" + number;
                    case Wire.Hub(int number) -> "hub" + number;
                });
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new QemuException("cannot delete " + path + ": " + e.getMessage(), e);
        }
    }
}
