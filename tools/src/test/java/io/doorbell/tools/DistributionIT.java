package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The archive of nicctl, unpacked by a user without rights into a folder with a space in its name, and only read then. */
class DistributionIT {

    private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));

    /** How a JVM begins its own name in a cache, and what it tells itself from others by. */
    private static final byte[] JVM = "OpenJDK 64-Bit Server VM (".getBytes(StandardCharsets.ISO_8859_1);

    private static final String HIDE_JDKS =
            "[ ! -d /usr/lib/jvm ] || /bin/mount -t tmpfs none /usr/lib/jvm; exec \"$@\"";

    @TempDir
    private static Path folder;

    private static OrdinaryUser user;
    private static Path place;
    private static Path home;

    @BeforeAll
    static void unpack() throws Exception {
        user = new OrdinaryUser(folder);
        Path archive = newestArchive();
        Path copy = Files.copy(archive, folder.resolve(archive.getFileName()));
        place = Files.createDirectory(folder.resolve("a place"));
        permit(place, "rwxrwxrwx");

        assertThat(user.run(List.of(), List.of("tar", "-xzf", copy.toString(), "-C", place.toString())))
                .as(user.err())
                .isZero();

        home = place.resolve(archive.getFileName().toString().replace(".tar.gz", ""));
        permit(place, "r-xr-xr-x");
        for (String name : List.of("", "bin", "lib")) {
            permit(home.resolve(name), "r-xr-xr-x");
        }
    }

    private static Path newestArchive() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("target"))) {
            return files.filter(file -> file.getFileName().toString().matches("nicctl-.*\\.tar\\.gz"))
                    .max(Comparator.comparing(DistributionIT::time))
                    .orElseThrow();
        }
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void permit(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    @AfterAll
    static void letItBeDeleted() throws IOException {
        for (Path path : List.of(place, home, home.resolve("bin"), home.resolve("lib"))) {
            permit(path, "rwxr-xr-x");
        }
        user.close();
    }

    @AfterEach
    void forgetTheEnvironment() {
        user.environment().put("JAVA_HOME", JAVA_HOME.toString());
        user.environment().remove("JAVA_TOOL_OPTIONS");
    }

    private static int nicctl(String line) throws Exception {
        return user.run(home.resolve("bin/nicctl"), line);
    }

    /** That it ended well, and printed of this machine what nicctl prints, and nothing else. */
    private static void assertListed(int status) throws IOException {
        CapturedConsole console = new CapturedConsole();
        NicCtl.run(Context.ofProcess(console.console()), List.of("list"));

        assertThat(user.err()).isEmpty();
        assertThat(status).isZero();
        assertThat(user.out()).isEqualTo(console.out());
    }

    @Test
    void listsTheNicsOfThisMachine() throws Exception {
        assertListed(nicctl("list"));
    }

    @Test
    void carriesTheVersionThatItsJarsHave() throws IOException {
        String version = home.getFileName().toString().replace("nicctl-", "");

        assertThat(home.resolve("lib/doorbell-tools-" + version + ".jar")).exists();
        assertThat(home.resolve("LICENSE")).content().contains("Apache License");
        assertThat(home.resolve("README.md")).exists();
    }

    @Test
    void namesTheLicenceOfEachLibrary() throws IOException {
        List<String> named = Files.readString(home.resolve("LIBRARIES.md"))
                .lines()
                .filter(line -> line.startsWith("| "))
                .flatMap(line -> Stream.of(line.split("\\|", -1)[1].split(",", -1)))
                .map(String::strip)
                .toList();
        try (Stream<Path> files = Files.list(home.resolve("lib"))) {
            assertThat(files.map(file -> file.getFileName().toString())
                            .filter(file -> file.endsWith(".jar") && !file.startsWith("doorbell-"))
                            .map(file -> file.replaceFirst("-[0-9].*", "")))
                    .isNotEmpty()
                    .isSubsetOf(named);
        }
    }

    @Test
    void takesItsClassesFromTheCache() throws Exception {
        Path log = folder.resolve("classes");
        permit(Files.createFile(log), "rw-rw-rw-");
        user.environment().put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + log);

        assertThat(nicctl("list")).isZero();

        assertThat(log).content().contains(NicCtl.class.getName() + " source: shared objects file");
    }

    /** In a folder that can be written to: all but the cache are links. */
    private static Path withCache(String name, byte[] cache) throws IOException {
        Path other = Files.createDirectory(folder.resolve(name));
        Path lib = Files.createDirectory(other.resolve("lib"));
        Files.copy(
                home.resolve("bin/nicctl"),
                Files.createDirectory(other.resolve("bin")).resolve("nicctl"));
        try (Stream<Path> files = Files.list(home.resolve("lib"))) {
            for (Path file : files.toList()) {
                Path to = lib.resolve(file.getFileName());
                if (file.endsWith("nicctl.aot")) {
                    Files.write(to, cache);
                } else {
                    Files.createLink(to, file);
                }
            }
        }
        return other.resolve("bin/nicctl");
    }

    private static byte[] cache() throws IOException {
        return Files.readAllBytes(home.resolve("lib/nicctl.aot"));
    }

    /** Of a JDK with the same release file, as far as that can be. */
    @Test
    void runsWithACacheThatAnotherJvmMade() throws Exception {
        byte[] foreign = cache();
        String text = new String(foreign, 0, 4096, StandardCharsets.ISO_8859_1);
        int name = text.indexOf(new String(JVM, StandardCharsets.ISO_8859_1));
        assertThat(name).as("where the cache names its JVM").isPositive();
        foreign[name] ^= 1;

        assertListed(user.run(withCache("foreign", foreign), "list"));
    }

    @Test
    void runsWithACacheThatIsNoneOrOfOtherJars() throws Exception {
        assertListed(user.run(withCache("garbage", "no cache".getBytes(StandardCharsets.UTF_8)), "list"));

        Path launcher = withCache("other jars", cache());
        Path lib = launcher.resolveSibling("../lib").normalize();
        try (Stream<Path> jars = Files.list(lib)) {
            Path jar = jars.filter(file -> file.toString().endsWith("picocli-4.7.7.jar"))
                    .findFirst()
                    .orElseThrow();
            Files.delete(jar);
            Files.copy(home.resolve("lib").resolve(jar.getFileName()), jar); // which makes it younger
        }
        assertListed(user.run(launcher, "list"));
    }

    @Test
    void runsWithACacheThatWasDamaged() throws Exception {
        byte[] damaged = cache();
        for (int i = damaged.length / 2; i < damaged.length / 2 + (1 << 16); i++) {
            damaged[i] ^= 0x5a;
        }
        assertListed(user.run(withCache("damaged", damaged), "list"));
    }

    @Test
    void saysThatItCannotRunInAFolderWithAColon() throws Exception {
        Path launcher = withCache("at 12:30", cache());

        assertThat(user.run(launcher, "list")).isEqualTo(1);

        assertThat(user.err())
                .startsWith("nicctl: Java cannot run what is in a folder with a colon in its name")
                .contains(folder.resolve("at 12:30").toString())
                .hasLineCount(1);
    }

    @Test
    void leavesTheCacheAloneOfAJdkThatIsNotTheOneAtHand() throws Exception {
        Path launcher = withCache("other JDK", cache());
        Path release = launcher.resolveSibling("../lib/nicctl.aot.release").normalize();
        Files.delete(release);
        Files.writeString(release, "JAVA_VERSION=\"25.0.99\"\n");
        Path log = folder.resolve("own-classes");
        permit(Files.createFile(log), "rw-rw-rw-");
        user.environment().put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + log);

        assertThat(user.run(launcher, "list")).isZero();

        assertThat(log)
                .content()
                .containsPattern(NicCtl.class.getName() + " source: .*jar")
                .contains("java.lang.Object source: shared objects file");
    }

    /** Two of them would keep the JVM from starting. */
    @ParameterizedTest
    @ValueSource(strings = {"-Xshare:off", "-XX:AOTMode=off"})
    void leavesTheUsersOwnChoiceOfACacheAlone(String option) throws Exception {
        user.environment().put("JAVA_TOOL_OPTIONS", option);

        assertThat(nicctl("list")).isZero();

        assertThat(user.err()).isEqualTo("Picked up JAVA_TOOL_OPTIONS: " + option + "\n");
    }

    @Test
    void explainsItself() throws Exception {
        assertThat(nicctl("--help")).isZero();

        assertThat(user.out()).contains("Usage: nicctl", "demo");
        assertThat(user.err()).isEmpty();
    }

    @Test
    void endsWithTheStatusAndTheMessageOfAnError() throws Exception {
        assertThat(nicctl("info ffff:ff:1f.7")).isEqualTo(1);

        assertThat(user.err())
                .isEqualTo("nicctl: there is no PCI function ffff:ff:1f.7 on this machine:"
                        + " 'nicctl list' shows the NICs that there are\n");
        assertThat(user.out()).isEmpty();
    }

    /** Neither there nor in the current folder, which jffi tries next, can this user make a file. */
    @ParameterizedTest
    @ValueSource(strings = {"list", "info 0000:00:00.0", "demo --nic vhost-user"})
    void saysInOneLineThatItHasNoTemporaryFolder(String line) throws Exception {
        String option = "-Djava.io.tmpdir=/proc";
        user.environment().put("JAVA_TOOL_OPTIONS", option);

        assertThat(nicctl(line)).isEqualTo(1);

        assertThat(user.err())
                .startsWith("Picked up JAVA_TOOL_OPTIONS: " + option + "\nnicctl: cannot call Linux: ")
                .contains("java.io.tmpdir, which is /proc")
                .hasLineCount(2);
        assertThat(user.out()).isEmpty();
    }

    @Test
    void exchangesFramesBetweenTwoProcesses() throws Exception {
        int status = nicctl("demo --nic vhost-user --frames 1000 --json");

        assertThat(status).as(user.err()).isZero();
        assertThat(Json.read(user.out())).containsEntry("pass", true).containsEntry("framesReceived", 2000);
    }

    @Test
    void listsWhatAVirtualMachineNeeds() throws Exception {
        assertThat(nicctl("demo")).isEqualTo(1);

        assertThat(user.err())
                .contains("needs what is not here", "QEMU 8.0", "busybox", "Linux kernel")
                .doesNotContain("Maven:", "JDK 25:");
    }

    @Test
    void saysThatTheBenchmarksAreElsewhereAndAsksForNothing() throws Exception {
        assertThat(nicctl("bench igb --quick")).isEqualTo(1);

        assertThat(user.err())
                .startsWith("nicctl: 'nicctl bench' is not part of this installation: ")
                .hasLineCount(1);
    }

    @Test
    void runsBehindALinkAndWithAJdkThatIsOnlyOnThePath() throws Exception {
        Path old = Files.createDirectory(folder.resolve("old JDK"));
        Files.writeString(old.resolve("release"), "JAVA_VERSION=\"17.0.12\"\n");
        Path javac = Files.createDirectory(old.resolve("bin")).resolve("javac");
        permit(Files.writeString(javac, "#!/bin/sh\nexit 1\n"), "rwxr-xr-x");
        user.environment().put("JAVA_HOME", old.toString());
        Path java = user.link("java", JAVA_HOME.resolve("bin/java"));
        Path link = user.link("nicctl", home.resolve("bin/nicctl"));
        try {
            assertListed(user.run(link, "list"));
        } finally {
            Files.delete(java);
            Files.delete(link);
        }
    }

    @Test
    void saysThatItNeedsAJdk() throws Exception {
        assumeTrue(OrdinaryUser.isRoot(), "SKIPPED: only root can hide this machine's JDKs");
        user.environment().remove("JAVA_HOME");

        int status = user.run(
                List.of("unshare", "--mount", "/bin/sh", "-c", HIDE_JDKS, "sh"),
                List.of(home.resolve("bin/nicctl").toString(), "list"));

        assertThat(status).isEqualTo(1);
        assertThat(user.err()).contains("needs what is not here", "JDK 25", "or set JAVA_HOME");
        assertThat(user.out()).isEmpty();
    }
}
