package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.ScratchFolder;
import io.doorbell.qemu.link.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files and sockets of one guest, on the host. */
record GuestFolder(Path path) {

    /** Makes a folder for a guest in {@code scratch}, which it goes with. */
    static GuestFolder in(ScratchFolder scratch) {
        try {
            GuestFolder folder = new GuestFolder(scratch.path());
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
}
