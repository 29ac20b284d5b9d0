package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
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
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

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
        try (CpioArchiveOutputStream archive =
                new CpioArchiveOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            add(archive, "bin", CpioConstants.C_ISDIR, new byte[0]);
            add(archive, "bin/busybox", CpioConstants.C_ISREG, Files.readAllBytes(kernel.busybox()));
            add(archive, "init", CpioConstants.C_ISREG, resource("guest-init.sh"));
            add(archive, "agent", CpioConstants.C_ISREG, resource("guest-agent.sh"));
            add(archive, "settings", CpioConstants.C_ISREG, settings(kernel));
            add(archive, "modules", CpioConstants.C_ISDIR, new byte[0]);
            int order = 10;
            for (Path module : modules) {
                String name = "modules/" + order++ + "-" + module.getFileName();
                add(archive, name, CpioConstants.C_ISREG, Files.readAllBytes(module));
            }
        } catch (IOException e) {
            throw new QemuException("cannot write the guest's first file system " + file + ": " + e.getMessage(), e);
        }
    }

    /** In cpio's "newc" format, which is what the kernel unpacks. */
    private static void add(CpioArchiveOutputStream archive, String path, int type, byte[] content) throws IOException {
        CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, path, content.length);
        entry.setMode(type | 0755);
        archive.putArchiveEntry(entry);
        archive.write(content);
        archive.closeArchiveEntry();
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
