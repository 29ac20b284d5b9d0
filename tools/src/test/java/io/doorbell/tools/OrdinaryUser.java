package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A user without rights and with hardly any environment, on a machine that has a JDK but neither QEMU nor Maven, nor a
 * guest's kernel. Closing deletes the links to programs.
 */
final class OrdinaryUser implements AutoCloseable {

    /** What any machine has. */
    private static final List<String> PROGRAMS = List.of(
            "bash",
            "basename",
            "cat",
            "dirname",
            "find",
            "grep",
            "flock",
            "gzip",
            "head",
            "id",
            "mkdir",
            "mktemp",
            "readlink",
            "rm",
            "sed",
            "stat",
            "tail",
            "tar",
            "tee",
            "touch");

    private final Path folder;
    private final Path programs;
    private final Map<String, String> environment = new HashMap<>();
    private Path out;
    private Path err;

    /** Keeps its own files in {@code folder}, which all may look into from now on. */
    OrdinaryUser(Path folder) throws IOException {
        this.folder = folder;
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        programs = Files.createDirectory(folder.resolve("programs"));
        for (String program : PROGRAMS) {
            link(program, pathTo(program));
        }
        environment.put("PATH", programs.toString());
        environment.put("HOME", "/nonexistent");
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        out = Files.createFile(folder.resolve("out"));
        err = Files.createFile(folder.resolve("err"));
    }

    static boolean isRoot() throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    }

    private static Path pathTo(String program) {
        return Stream.of("/usr/bin", "/bin")
                .map(path -> Path.of(path, program))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new AssertionError("this machine has no " + program));
    }

    /** Puts a program on the user's {@code PATH}. */
    Path link(String name, Path program) throws IOException {
        return Files.createSymbolicLink(programs.resolve(name), program);
    }

    /** Writes a program, in a language that its first line names, for the user's {@code PATH}. */
    Path script(String name, String text) throws IOException {
        Path script = Files.writeString(programs.resolve(name), text);
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** To be changed before a run. */
    Map<String, String> environment() {
        return environment;
    }

    /** Runs a program to its end, with the words of a line, and returns its exit status. */
    int run(Path program, String line) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(line.split(" ")));
        return run(List.of(), command);
    }

    /** As that, by way of a command that goes on to the words that follow it, and may do as root what takes root. */
    int run(List<String> before, List<String> command) throws Exception {
        List<String> all = new ArrayList<>(before);
        if (isRoot()) {
            String setpriv = pathTo("setpriv").toString();
            all.addAll(List.of(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"));
        }
        all.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(all)
                .directory(Path.of("/").toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES))
                    .as("it ends in time")
                    .isTrue();
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    /** What the last one printed. */
    String out() throws IOException {
        return Files.readString(out);
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    /** JUnit would warn of links that lead out of its folder. */
    @Override
    public void close() throws IOException {
        try (Stream<Path> all = Files.list(programs)) {
            for (Path program : all.toList()) {
                Files.delete(program);
            }
        }
    }
}
