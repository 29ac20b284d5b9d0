package io.doorbell.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The QEMU that the lab runs: where it is, its version, and the device models compiled into it.
 *
 * @param path the executable
 * @param version as QEMU prints it, for example {@code 10.0.2}
 * @param devices the names that {@code -device} accepts
 */
public record QemuBinary(Path path, String version, Set<String> devices) {

    /** Names the executable to use instead of the first {@value #NAME} on the path. */
    public static final String PROPERTY = "doorbell.qemu";

    static final String NAME = "qemu-system-x86_64";

    private static final String REMEDY =
            "Install QEMU 8.0 or newer (Debian 13: qemu-system-x86; Debian 12: qemu-system-x86 from bookworm-backports)"
                    + " or name one with -D" + PROPERTY + "=/path/to/" + NAME;
    private static final int ANSWER_SECONDS = 30;
    private static final Pattern VERSION = Pattern.compile("version (\\S+)");
    private static final Pattern DEVICE = Pattern.compile("^name \"([^\"]+)\"", Pattern.MULTILINE);
    private static final Pattern ALIAS = Pattern.compile("alias \"([^\"]+)\"");

    private static @Nullable QemuBinary found;

    public QemuBinary {
        devices = Set.copyOf(devices);
    }

    /**
     * The QEMU of this machine, looked for once a JVM.
     *
     * @throws QemuException if there is none; the message says where it was looked for and what to install
     */
    public static synchronized QemuBinary find() {
        QemuBinary result = found;
        if (result == null) {
            result = find(System.getProperty(PROPERTY), System.getenv("PATH"));
            found = result;
        }
        return result;
    }

    static QemuBinary find(@Nullable String named, @Nullable String searchPath) {
        if (named != null) {
            Path path = Path.of(named);
            if (!Files.isExecutable(path)) {
                throw new QemuException(
                        "no QEMU: " + named + ", named by -D" + PROPERTY + ", is not an executable file. " + REMEDY);
            }
            return inspect(path);
        }
        for (String folder : (searchPath == null ? "" : searchPath).split(File.pathSeparator, -1)) {
            Path path = Path.of(folder, NAME);
            if (!folder.isEmpty() && Files.isExecutable(path)) {
                return inspect(path);
            }
        }
        throw new QemuException("no QEMU: " + NAME + " is nowhere on the path (" + searchPath + "). " + REMEDY);
    }

    static QemuBinary inspect(Path path) {
        Matcher version = VERSION.matcher(ask(path, "--version"));
        if (!version.find()) {
            throw new QemuException(path + " --version does not answer as QEMU does. " + REMEDY);
        }
        String help = ask(path, "-device", "help");
        Set<String> devices = new TreeSet<>();
        DEVICE.matcher(help).results().forEach(match -> devices.add(match.group(1)));
        ALIAS.matcher(help).results().forEach(match -> devices.add(match.group(1)));
        return new QemuBinary(path, version.group(1), devices);
    }

    /**
     * This QEMU, if it has a model of that name.
     *
     * @throws QemuException if it has not; the message names this QEMU and what is needed
     */
    public QemuBinary requireDevice(String device) {
        if (!devices.contains(device)) {
            throw new QemuException(path + " is QEMU " + version + ", which has no device '" + device + "'"
                    + (device.equals("igb") ? " (igb came with QEMU 8.0)" : "") + ". " + REMEDY);
        }
        return this;
    }

    private static String ask(Path path, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(path.toString());
        command.addAll(List.of(arguments));
        try {
            Path answer = Files.createTempFile("doorbell-qemu", ".txt");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                        .redirectErrorStream(true)
                        .redirectOutput(answer.toFile())
                        .start();
                if (!process.waitFor(ANSWER_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new QemuException(String.join(" ", command) + " gave no answer in " + ANSWER_SECONDS + " s");
                }
                return Files.readString(answer);
            } finally {
                Files.delete(answer);
            }
        } catch (IOException e) {
            throw new QemuException("cannot run " + String.join(" ", command) + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QemuException("interrupted while waiting for " + String.join(" ", command), e);
        }
    }
}
