package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.tools.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code ./nicctl} of a tree that is built, in a folder with a space in its name, for a user without rights, on a machine
 * that has Java but neither QEMU nor Maven, nor a guest's kernel.
 */
class LauncherIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** What any machine has. */
    private static final List<String> PROGRAMS = List.of(
            "bash",
            "basename",
            "cat",
            "dirname",
            "find",
            "grep",
            "head",
            "id",
            "mkdir",
            "mktemp",
            "readlink",
            "rm",
            "sed",
            "stat",
            "tail",
            "tee",
            "touch");

    private static final Path SELF = Path.of("/proc/self");

    @TempDir
    private static Path folder;

    private static Path home;
    private static Path programs;

    private Path out;
    private Path err;

    @BeforeAll
    static void copyTree() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        home = folder.resolve("a tree");
        copy(
                home,
                "nicctl",
                "verify",
                "pom.xml",
                "tools/pom.xml",
                "tools/setup.sh",
                "tools/bench/pom.xml",
                "tools/target/classes",
                "tools/target/lib");
        Files.createDirectories(home.resolve("tools/src/main"));
        Files.createDirectories(home.resolve("tools/bench/src/main"));
        stampAt(Instant.now());

        programs = Files.createDirectory(folder.resolve("programs"));
        for (String program : PROGRAMS) {
            Files.createSymbolicLink(programs.resolve(program), pathTo(program));
        }
    }

    private static Path pathTo(String program) {
        return Stream.of("/usr/bin", "/bin")
                .map(path -> Path.of(path, program))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow(() -> new AssertionError("this machine has no " + program));
    }

    @AfterAll
    static void letItBeDeleted() throws IOException {
        permit("rwxr-xr-x");
        for (String program : PROGRAMS) {
            Files.delete(programs.resolve(program)); // JUnit would warn of links that lead out of its folder
        }
    }

    private static void copy(Path tree, String... names) throws IOException {
        for (String name : names) {
            Path from = ROOT.resolve(name);
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : files.toList()) {
                    Path to = tree.resolve(ROOT.relativize(file));
                    Files.createDirectories(to.getParent());
                    Files.copy(file, to);
                }
            }
        }
    }

    private static void stampAt(Instant time) throws IOException {
        Path stamp = home.resolve("tools/target/built");
        if (!Files.exists(stamp)) {
            Files.createFile(stamp);
        }
        Files.setLastModifiedTime(stamp, FileTime.from(time));
    }

    private static void permit(String permissions) throws IOException {
        for (String name : List.of("", "tools", "tools/target")) {
            Files.setPosixFilePermissions(home.resolve(name), PosixFilePermissions.fromString(permissions));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo --nic vhost-user --json --frames 1000",
                "demo --nic=vhost-user --json --frames=1000",
                "--verbose demo --frames 1000 --json --nic vhost-user",
            })
    void showsVhostUserWithNothingButJava(String line) throws Exception {
        int status = nicctl(line);

        assertThat(status).as(err()).isZero();
        Map<String, Object> result = Json.read(Files.readString(out));
        assertThat(result).containsEntry("pass", true).containsEntry("framesReceived", 2000);
        assertThat(err()).doesNotContain("needs what is not here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "demo --help", "lab -h", "demo --nic vhost", "info --nic igb demo", "help lab"})
    void asksForNothingThatTheCommandDoesNotNeed(String line) throws Exception {
        nicctl(line);

        assertThat(err()).doesNotContain("needs what is not here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "--verbose demo --json", "demo --nic igb", "demo --frames 9 --nic=virtio", "lab"})
    void listsWhatAVirtualMachineNeeds(String line) throws Exception {
        int status = nicctl(line);

        assertThat(status).isEqualTo(1);
        assertThat(err())
                .contains("needs what is not here", "QEMU 8.0", "busybox", "Linux kernel")
                .doesNotContain("Maven:");
    }

    @Test
    void saysWhoIsToBuildATreeThatThisUserMayNotWriteTo() throws Exception {
        stampAt(Instant.EPOCH);
        permit("r-xr-xr-x");
        try {
            int status = nicctl("list");

            assertThat(status).isEqualTo(1);
            assertThat(err())
                    .contains("may not write to " + home)
                    .contains("Doorbell is to be built first")
                    .doesNotContain("needs what is not here", "ermission denied");
        } finally {
            permit("rwxr-xr-x");
            stampAt(Instant.now());
        }
    }

    @Test
    void saysThatTheBuildFailedWhateverMavenHadToSay() throws Exception {
        Path tree = Files.createDirectory(folder.resolve("a tree that is not built"));
        copy(tree, "nicctl", "pom.xml", "tools/setup.sh");
        Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path maven = Files.writeString(programs.resolve("mvn"), "#!/bin/sh\necho killed\nexit 143\n");
        Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
        try {
            int status = run(tree.resolve("nicctl"), "list");

            assertThat(status).isEqualTo(1);
            assertThat(err()).contains("the build failed; all of it is in " + tree.resolve("target/build.log"));
            assertThat(tree.resolve("target/build.log")).hasContent("killed");
        } finally {
            Files.delete(maven);
        }
    }

    private int nicctl(String line) throws Exception {
        return run(home.resolve("nicctl"), line);
    }

    /** As a user who is not root, with hardly any environment. */
    private int run(Path launcher, String line) throws Exception {
        out = Files.createTempFile(folder, "out", "");
        err = Files.createTempFile(folder, "err", "");
        List<String> command = new ArrayList<>();
        if (Files.getAttribute(SELF, "unix:uid").equals(0)) {
            command.addAll(
                    List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"));
        }
        command.add(launcher.toString());
        command.addAll(List.of(line.split(" ")));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", programs.toString());
        builder.environment().put("HOME", "/nonexistent");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
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

    private String err() throws IOException {
        return Files.readString(err);
    }
}
