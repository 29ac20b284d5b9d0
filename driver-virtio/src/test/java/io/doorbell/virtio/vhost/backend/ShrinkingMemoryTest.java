package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A front-end whose memory is in a file that it can make shorter, and does: QEMU's need not be sealed, nor DPDK's. */
class ShrinkingMemoryTest {

    private static final int SESSIONS = 30;

    @TempDir
    private Path dir;

    @ParameterizedTest
    @CsvSource({"-Xint, 1500", "-XX:TieredStopAtLevel=1, 20000", "-XX:+TieredCompilation, 100000"})
    void endsTheSessionWithAWordAndNothingElse(String mode, int polls) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", mode));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ShrinkingMemoryProcess.class.getName()));
        command.addAll(List.of(dir.resolve("vhost.sock").toString(), "" + SESSIONS, "" + polls));
        Path output = dir.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(output).content().contains("named=" + SESSIONS + " strays=0 silent=0 lost=0\n");
        assertThat(output).content().contains("the front-end took memory away that it had shared");
    }
}
