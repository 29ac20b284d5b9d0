package io.doorbell.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.qtest.QtestMachine;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
@Tag("qtest")
class QemuProcessTest {

    /** What the JVM that is killed runs. */
    static final class Victim {
        public static void main(String[] arguments) throws Exception {
            QtestMachine machine = QtestMachine.builder().nic("igb").start();
            System.out.println(machine.pid());
            Thread.sleep(60_000);
        }
    }

    @Test
    void qemuDiesWithItsJvmEvenWhenThatIsKilled() throws Exception {
        Process victim = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader output = victim.inputReader()) {
            ProcessHandle qemu =
                    ProcessHandle.of(Long.parseLong(output.readLine())).orElseThrow();
            assertThat(qemu.isAlive()).isTrue();
            victim.destroyForcibly();
            qemu.onExit().get(20, TimeUnit.SECONDS);
            assertThat(qemu.isAlive()).isFalse();
        } finally {
            victim.destroyForcibly();
        }
    }
}
