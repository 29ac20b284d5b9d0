package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.tools.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
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

    @TempDir
    private static Path folder;

    private static Path home;
    private static OrdinaryUser user;

    @BeforeAll
    static void copyTree() throws IOException {
        user = new OrdinaryUser(folder);
        home = folder.resolve("a tree");
        copySources(home);
        copy(home, "tools/target/classes", "tools/target/lib");
        stampAt(Instant.now());
    }

    /** As many as the launcher looks at. */
    private static void copySources(Path tree) throws IOException {
        copy(tree, "nicctl", "verify", "pom.xml", "tools/pom.xml", "tools/setup.sh", "tools/bench/pom.xml");
        Files.createDirectories(tree.resolve("tools/src/main"));
        Files.createDirectories(tree.resolve("tools/bench/src/main"));
    }

    @AfterAll
    static void letItBeDeleted() throws IOException {
        permit("rwxr-xr-x");
        user.close();
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

        assertThat(status).as(user.err()).isZero();
        Map<String, Object> result = Json.read(user.out());
        assertThat(result).containsEntry("pass", true).containsEntry("framesReceived", 2000);
        assertThat(user.err()).doesNotContain("needs what is not here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "demo --help", "lab -h", "demo --nic vhost", "info --nic igb demo", "help lab"})
    void asksForNothingThatTheCommandDoesNotNeed(String line) throws Exception {
        nicctl(line);

        assertThat(user.err()).doesNotContain("needs what is not here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "--verbose demo --json", "demo --nic igb", "demo --frames 9 --nic=virtio", "lab"})
    void listsWhatAVirtualMachineNeeds(String line) throws Exception {
        int status = nicctl(line);

        assertThat(status).isEqualTo(1);
        assertThat(user.err())
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
            assertThat(user.err())
                    .contains("may not write to " + home)
                    .contains("Doorbell is to be built first")
                    .doesNotContain("needs what is not here", "ermission denied");
        } finally {
            permit("rwxr-xr-x");
            stampAt(Instant.now());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void saysThatTheBuildFailedWhateverMavenHadToSay(boolean canLock) throws Exception {
        Path tree = Files.createDirectory(folder.resolve("a tree that is not built" + (canLock ? "" : ", nor locked")));
        copy(tree, "nicctl", "pom.xml", "tools/setup.sh");
        Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path maven = user.script("mvn", "#!/bin/sh\necho killed\nexit 143\n");
        Path flock = maven.resolveSibling("flock");
        if (!canLock) {
            Files.delete(flock);
        }
        try {
            int status = user.run(tree.resolve("nicctl"), "list");

            assertThat(status).isEqualTo(1);
            assertThat(user.err()).contains("the build failed; all of it is in " + tree.resolve("target/build.log"));
            assertThat(tree.resolve("target/build.log")).hasContent("killed");
        } finally {
            if (!canLock) {
                user.link("flock", Path.of("/usr/bin/flock"));
            }
            Files.delete(maven);
        }
    }

    /** The first one's build goes on until the second one has said something. */
    @Test
    void buildsOnceForTwoThatFindNothingBuilt() throws Exception {
        Path tree = folder.resolve("a tree for two");
        copySources(tree);
        for (String name : List.of("", "tools", "tools/bench")) {
            Files.setPosixFilePermissions(tree.resolve(name), PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        try (OrdinaryUser one = new OrdinaryUser(Files.createDirectory(folder.resolve("one")));
                OrdinaryUser other = new OrdinaryUser(Files.createDirectory(folder.resolve("other")))) {
            for (OrdinaryUser each : List.of(one, other)) {
                each.script("mvn", """
                        #!/bin/sh
                        echo built >>builds
                        until [ -e go ]; do /bin/sleep 0.1; done
                        mkdir -p tools/target
                        /bin/ln -sfn '%1$s/classes' '%1$s/lib' tools/target
                        """.formatted(home.resolve("tools/target")));
            }
            FutureTask<Integer> first = inAnotherThread(() -> one.run(tree.resolve("nicctl"), "list"));
            FutureTask<Integer> second = inAnotherThread(() -> {
                awaitTrue(() -> Files.exists(tree.resolve("builds")));
                return other.run(tree.resolve("nicctl"), "list");
            });
            try {
                awaitTrue(() -> other.err().contains("nicctl: "));
            } finally {
                Files.createFile(tree.resolve("go"));
            }

            assertThat(first.get(2, TimeUnit.MINUTES)).as(one.err()).isZero();
            assertThat(second.get(2, TimeUnit.MINUTES)).as(other.err()).isZero();
            assertThat(tree.resolve("builds")).hasContent("built");
            assertThat(one.err()).doesNotContain("waiting");
            assertThat(other.err()).isEqualTo("nicctl: waiting for another nicctl, which is building\n");
        }
    }

    private static <T> FutureTask<T> inAnotherThread(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void awaitTrue(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("the time that it may take").isLessThan(deadline);
            Thread.sleep(50);
        }
    }

    @Test
    void saysThatItCannotRunInAFolderWithAColon() throws Exception {
        Path tree = folder.resolve("at 12:30");
        copy(tree, "nicctl", "tools/setup.sh");

        assertThat(user.run(tree.resolve("nicctl"), "list")).isEqualTo(1);

        assertThat(user.err())
                .contains("folder with a colon in its name", tree.toString())
                .hasLineCount(1);
    }

    private static int nicctl(String line) throws Exception {
        return user.run(home.resolve("nicctl"), line);
    }
}
