package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a guest boots: a distribution's kernel, its modules, and a static busybox to start from.
 *
 * @param version as {@code uname -r} prints it
 * @param image the compressed kernel
 * @param modules the folder that belongs at {@code /lib/modules/VERSION}
 * @param busybox a statically linked busybox
 */
record GuestKernel(String version, Path image, Path modules, Path busybox) {

    private static final String REMEDY =
            "On Debian 12 or 13, './nicctl lab' fetches it; elsewhere it lists what to unpack where.";

    /** The newest kernel in this user's cache, which {@code ./nicctl} and {@code ./verify} fill. */
    static GuestKernel find() {
        return find(cache(System.getenv()));
    }

    static GuestKernel find(Path cache) {
        Path kernels = cache.resolve("kernel");
        Path home = newestIn(kernels)
                .orElseThrow(() ->
                        new QemuException("no guest kernel: there is no " + kernels + "/VERSION/vmlinuz. " + REMEDY));
        String version = home.getFileName().toString();
        Path modules = home.resolve("lib/modules").resolve(version);
        if (!Files.isRegularFile(modules.resolve("modules.dep"))) {
            throw new QemuException("guest kernel " + version + " has no modules: there is no " + modules
                    + "/modules.dep. Delete " + home + ". " + REMEDY);
        }
        Path busybox = cache.resolve("busybox");
        if (!Files.isExecutable(busybox)) {
            throw new QemuException(
                    "no busybox to start the guest with: " + busybox + " is not an executable file. " + REMEDY);
        }
        return new GuestKernel(version, home.resolve("vmlinuz"), modules, busybox);
    }

    /** Where the launchers unpack to: the same rule as theirs. */
    static Path cache(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        return (caches.isEmpty() ? Path.of(home, ".cache") : Path.of(caches)).resolve("doorbell");
    }

    private static Optional<Path> newestIn(Path kernels) {
        if (!Files.isDirectory(kernels)) {
            return Optional.empty();
        }
        try (Stream<Path> homes = Files.list(kernels)) {
            return homes.filter(home -> !home.getFileName().toString().startsWith("."))
                    .filter(home -> Files.isRegularFile(home.resolve("vmlinuz")))
                    .max(Comparator.comparingLong(home -> home.toFile().lastModified()));
        } catch (IOException e) {
            throw new QemuException("cannot read " + kernels + ": " + e.getMessage(), e);
        }
    }

    /**
     * The files of a module and of all that it depends on, in the order in which to load them. Empty if it is built in,
     * as is taken for granted of all that a kernel without a list of what is built in has no file of.
     *
     * @param name as modprobe takes it; {@code -} and {@code _} are the same
     */
    List<Path> modulesFor(String name) {
        String wanted = normal(name);
        try (Stream<String> lines = Files.lines(modules.resolve("modules.dep"))) {
            // kernel/a/b.ko: kernel/c/needed-by-b.ko kernel/d/needed-by-c.ko
            return lines.map(line -> line.split(":? ?(?=kernel/)|:$"))
                    .map(files -> Stream.of(files)
                            .filter(file -> !file.isEmpty())
                            .map(modules::resolve)
                            .toList())
                    .filter(files ->
                            !files.isEmpty() && moduleName(files.getFirst()).equals(wanted))
                    .findFirst()
                    .map(List::reversed)
                    .orElseGet(() -> builtIn(name));
        } catch (IOException e) {
            throw new QemuException("cannot read " + modules.resolve("modules.dep") + ": " + e.getMessage(), e);
        }
    }

    /** Nothing to load, if there is such a module at all. */
    private List<Path> builtIn(String name) {
        Path list = modules.resolve("modules.builtin");
        if (Files.exists(list)) {
            try (Stream<String> lines = Files.lines(list)) {
                if (lines.noneMatch(file -> moduleName(Path.of(file)).equals(normal(name)))) {
                    throw new QemuException("the guest's kernel " + version + " has no module " + name + ": "
                            + modules.resolve("modules.dep") + " and " + list + " name those that it has");
                }
            } catch (IOException e) {
                throw new QemuException("cannot read " + list + ": " + e.getMessage(), e);
            }
        }
        return List.of();
    }

    private static String moduleName(Path file) {
        return normal(file.getFileName().toString().replaceFirst("\\.ko.*", ""));
    }

    private static String normal(String name) {
        return name.replace('-', '_');
    }
}
