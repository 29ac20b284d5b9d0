package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.LeakCheck;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.io.BufferedReader;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo that takes two processes and nothing else. */
class VhostDemoIT {

    private static final int FRAMES = 20_000;

    @TempDir
    private Path folder;

    @Test
    void losesNothingAndLeavesNothingBehind() {
        CapturedConsole console = new CapturedConsole();

        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("demo", "--nic", "vhost-user", "--json", "--frames", String.valueOf(FRAMES)));

        assertThat(status).as(console.err()).isZero();
        judge(console.out());
    }

    @Test
    void runsWithoutAnyRightsOrEnvironment() throws Exception {
        Path classes = Path.of("target/classes").toAbsolutePath();
        List<String> nobody = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
        assumeThat(run(
                        nobody,
                        "test",
                        "-r",
                        classes.resolve("module-info.class").toString()))
                .as("root can run a program as nobody, who can read this project's files")
                .isZero();

        // As the launcher starts it.
        int status = run(
                nobody,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classes + ":" + classes.resolveSibling("lib") + "/*",
                NicCtl.class.getName(),
                "demo",
                "--nic=vhost-user",
                "--json",
                "--frames=" + FRAMES);

        assertThat(status).as(Files.readString(folder.resolve("err"))).isZero();
        judge(Files.readString(folder.resolve("out")));
    }

    @Test
    void leavesNothingBehindWhenItIsToldToEnd() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        NicCtl.class.getName(),
                        "demo",
                        "--nic=vhost-user",
                        "--frames=10000000")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader lines = process.inputReader()) {
            assertThat(lines.lines().filter(line -> line.contains("exchanging")).findFirst())
                    .isPresent();
            assertThat(temporary).isNotEmptyDirectory();
            process.toHandle().destroy(); // SIGTERM; that of the process would close what it prints, too
            lines.lines().forEach(line -> {});
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    void saysThatItsResultWasNotWritten() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        NicCtl.class.getName(),
                        "list")
                .redirectOutput(new File("/dev/full"))
                .start();
        String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(errors).contains("nicctl: cannot write to standard output: No space left on device");
    }

    private int run(List<String> prefix, String... command) throws Exception {
        List<String> line = Stream.concat(prefix.stream(), Stream.of(command)).toList();
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(Path.of("/").toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        Process process = builder.start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS))
                    .as("it ends in time")
                    .isTrue();
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    @SuppressWarnings("unchecked")
    private static void judge(String json) {
        Map<String, Object> result = Json.read(json);
        assertThat(result)
                .containsEntry("pass", true)
                .containsEntry("framesSent", 2 * FRAMES)
                .containsEntry("framesReceived", 2 * FRAMES)
                .containsEntry("lost", 0)
                .containsEntry("corrupt", 0);
        assertThat((List<Map<String, Object>>) result.get("nics"))
                .singleElement()
                .satisfies(nic -> assertThat(nic)
                        .containsEntry("driver", "vhost-user")
                        .containsEntry("quiesced", true)
                        .containsEntry("released", true)
                        .containsEntry("pcap", null));
        assertThat(LeakCheck.ofThisProcess()).isEmpty();
    }
}
