package io.doorbell.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Console;
import io.doorbell.tools.text.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** {@code nicctl bench --quick}, which looks if all works, and what a comparison takes. */
final class QuickBench {

    private QuickBench() {}

    static void assumeDpdk() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "dpdk-testpmd"))),
                "SKIPPED: there is no dpdk-testpmd on the PATH to compare with; ./verify installs it on Debian as root"
                        + " (package dpdk-dev)");
        assumeTwoProcessors();
    }

    static void assumeTwoProcessors() {
        assumeTrue(
                Runtime.getRuntime().availableProcessors() > 1,
                "SKIPPED: a comparison needs two processors, one for each end");
    }

    /** The rows that a quick look prints, which is to succeed. */
    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
        List<String> line = new ArrayList<>(List.of("bench", "--quick", "--json"));
        line.addAll(List.of(words));

        int status = NicCtl.run(Context.ofProcess(console), line);

        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        return (List<Map<String, Object>>) Json.read("{\"rows\":" + out.toString(StandardCharsets.UTF_8) + "}")
                .get("rows");
    }
}
