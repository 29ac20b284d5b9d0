package io.doorbell.dma.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** jffi, which makes the system calls, unpacks a library into a folder that it may not get. */
class NoTemporaryFolderTest {

    /** Asks twice for the way to the kernel, and prints what it is told. */
    static final class Asks {

        private Asks() {}

        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try {
                    Kernel.linux();
                    System.out.println("works");
                } catch (DoorbellException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }

    @Test
    void isWhatIsSaidEachTime() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=/proc", // where not even root can make a file
                        "-cp",
                        classPath(),
                        Asks.class.getName())
                .directory(Path.of("/proc").toFile()) // which is tried next
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(printed.lines().filter(line -> !line.startsWith("WARNING")))
                    .hasSize(2)
                    .allSatisfy(line -> assertThat(line)
                            .startsWith("cannot call Linux: ")
                            .contains("java.io.tmpdir, which is /proc", "-Djava.io.tmpdir=FOLDER"));
        } finally {
            process.destroyForcibly();
        }
    }

    private static String classPath() {
        return System.getProperty("java.class.path") + ":" + System.getProperty("jdk.module.path", "");
    }
}
