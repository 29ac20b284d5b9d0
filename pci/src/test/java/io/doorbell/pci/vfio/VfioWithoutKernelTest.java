package io.doorbell.pci.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.DoorbellException;
import io.doorbell.pci.PciAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** jffi, which makes the system calls, cannot unpack its library, so that no function can be opened. */
class VfioWithoutKernelTest {

    /** Opens twice, and prints what it is told. */
    static final class Opens {

        private Opens() {}

        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try {
                    Vfio.open(PciAddress.parse("ffff:ff:1f.7"));
                } catch (DoorbellException e) {
                    System.out.println(e.getMessage());
                } catch (LinkageError e) {
                    System.out.println(e);
                }
            }
        }
    }

    @Test
    void isToldWhyEachTime() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=/proc", // where not even root can make a file
                        "-cp",
                        System.getProperty("java.class.path") + ":" + System.getProperty("jdk.module.path", ""),
                        Opens.class.getName())
                .directory(Path.of("/proc").toFile()) // which is tried next
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(printed.lines().filter(line -> !line.startsWith("WARNING")))
                    .hasSize(2)
                    .allSatisfy(line -> assertThat(line).startsWith("cannot call Linux: "));
        } finally {
            process.destroyForcibly();
        }
    }
}
