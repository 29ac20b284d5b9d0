package io.doorbell.qemu;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The guest's first root file system: busybox, the modules that reach the host's files, and two scripts. It is small, so
 * it is written anew, uncompressed, for each guest: nothing can be stale.
 */
final class Initramfs {

    /** What it takes to mount the host's files; everything else is loaded from there. */
    private static final List<String> MODULES = List.of("9pnet_virtio", "9p", "overlay", "virtio_console");

    private Initramfs() {}

    static void write(Path file, GuestKernel kernel) {
        Set<Path> modules = new LinkedHashSet<>();
        MODULES.forEach(name -> modules.addAll(kernel.modulesFor(name)));
        try (CpioArchive archive = new CpioArchive(new BufferedOutputStream(Files.newOutputStream(file)))) {
            archive.folder("bin");
            archive.executable("bin/busybox", Files.readAllBytes(kernel.busybox()));
            archive.executable("init", resource("guest-init.sh"));
            archive.executable("agent", resource("guest-agent.sh"));
            archive.executable("settings", settings(kernel));
            archive.folder("modules");
            int order = 10;
            for (Path module : modules) {
                archive.executable("modules/" + order++ + "-" + module.getFileName(), Files.readAllBytes(module));
            }
        } catch (IOException e) {
            throw new QemuException("cannot write the guest's first file system " + file + ": " + e.getMessage(), e);
        }
    }

    private static byte[] settings(GuestKernel kernel) {
        return ("modules=" + ShellWords.quote(kernel.modules().toAbsolutePath().toString()) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] resource(String name) {
        try (InputStream in = Initramfs.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from this module's jar");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
