package io.doorbell.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.qemu.link.HostTap;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code nicctl bench} measures what it says, whatever the figures are: one scenario of each kind, as quickly as it can be
 * done.
 */
class BenchIT {

    @TempDir
    private Path folder;

    private static void assumeVethAndLibpcap() throws IOException {
        assumeTrue(
                HostTap.isPossible(), "SKIPPED: interfaces can be made by root only (CAP_NET_ADMIN and /dev/net/tun)");
        boolean libpcap = false;
        for (String folder : List.of("/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu")) {
            libpcap |= new File(folder, "libpcap.so.1").exists() || new File(folder, "libpcap.so.0.8").exists();
        }
        assumeTrue(
                libpcap,
                "SKIPPED: there is no libpcap for pcap4j; ./verify installs it on Debian as root (package libpcap0.8)");
    }

    /** Of a tree that is built, as far as the launcher looks at it. */
    @Test
    void isACommandOfTheLauncher() throws Exception {
        Path root = Path.of("../..").toAbsolutePath().normalize();
        Files.createDirectories(folder.resolve("tools/src/main"));
        Files.createDirectories(folder.resolve("tools/bench/src/main"));
        Files.createDirectory(folder.resolve("tools/target"));
        for (String name : List.of("nicctl", "pom.xml", "tools/pom.xml", "tools/setup.sh", "tools/bench/pom.xml")) {
            Files.copy(root.resolve(name), folder.resolve(name));
        }
        Path target =
                Files.createSymbolicLink(folder.resolve("tools/bench/target"), root.resolve("tools/bench/target"));
        Files.createFile(folder.resolve("tools/target/built"));
        Path out = folder.resolve("out");

        Process process = new ProcessBuilder(folder.resolve("nicctl").toString(), "bench", "--help")
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        boolean ended = process.waitFor(1, TimeUnit.MINUTES);
        process.destroyForcibly();
        Files.delete(target); // JUnit would warn of a link that leads out of its folder

        assertThat(ended).isTrue();
        assertThat(out).content().contains("Usage: nicctl bench", "vhost-user-receive");
    }

    @Test
    void comparesDoorbellWithDpdkAtBothBackEnds() {
        QuickBench.assumeDpdk();
        Path chart = folder.resolve("chart.svg");

        List<Map<String, Object>> rows =
                QuickBench.run("--chart", chart.toString(), "vhost-user-forward", "null-receive");

        assertThat(rows)
                .extracting(row -> row.get("scenario") + ", " + row.get("ring"))
                .contains("vhost-user-forward, split", "vhost-user-forward, packed", "null-receive, packed");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row).containsEntry("unit", "Mframes/s").containsKeys("peer", "low", "high");
            assertThat((double) row.get("ratio")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
        });
        assertThat(chart).content().startsWith("<svg");
    }

    @Test
    void measuresRoundTripsWithEachGarbageCollector() {
        QuickBench.assumeDpdk();
        Path plots = folder.resolve("plots");

        List<Map<String, Object>> rows = QuickBench.run("--plots", plots.toString(), "latency");

        assertThat(rows)
                .extracting(row -> row.get("scenario"))
                .containsExactly("latency-10k-g1", "latency-10k-zgc", "latency-10k-parallel");
        assertThat(rows).allSatisfy(row -> {
            assertThat((double) row.get("p50")).isPositive().isLessThanOrEqualTo((double) row.get("max"));
            assertThat((double) row.get("peer's p50")).isPositive();
        });
        assertThat(plots.resolve("latency-10k.svg")).content().startsWith("<svg");
        assertThat(plots.resolve("latency-10k-dpdk.hgrm")).content().contains("Percentile");
    }

    @Test
    void plotsHowDoorbellAndDpdkScale() {
        QuickBench.assumeDpdk();
        Path plots = folder.resolve("plots");

        List<Map<String, Object>> rows = QuickBench.run("--plots", plots.toString(), "scale-queues", "scale-size");

        assertThat(rows)
                .extracting(row -> row.get("scenario") + ": " + row.get("ring"))
                .containsExactly(
                        "scale-queues: packed, 1 queue",
                        "scale-queues: packed, 2 queues",
                        "scale-size: packed, 64 bytes",
                        "scale-size: packed, 9000 bytes");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row).containsEntry("unit", "Mframes/s").containsKeys("peer", "low", "high");
            assertThat((double) row.get("ratio")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
        });
        assertThat(plots.resolve("scale-queues.svg")).content().contains("DPDK", "Mframes/s", "<circle");
        assertThat(plots.resolve("scale-size.svg")).content().contains("DPDK", "Gbit/s", "<circle");
    }

    @Test
    void measuresTheStartColdAndFromACache() {
        QuickBench.assumeDpdk();

        List<Map<String, Object>> rows = QuickBench.run("start");

        assertThat(rows)
                .extracting(row -> row.get("scenario"))
                .containsExactly("start-cold", "start-aot", "start-first-second-warm");
        assertThat(rows)
                .allSatisfy(row -> assertThat((double) row.get("doorbell")).isPositive());
    }

    @Test
    void comparesDoorbellWithWhatElseAJavaProgrammerHas() throws IOException {
        QuickBench.assumeTwoProcessors();
        assumeVethAndLibpcap();

        List<Map<String, Object>> rows = QuickBench.run("sockets");

        assertThat(rows)
                .extracting(row -> row.get("peer"))
                .containsExactly("DatagramChannel", "pcap4j, veth", "AF_PACKET, veth");
        assertThat(rows).allSatisfy(row -> {
            assertThat((double) row.get("doorbell")).isPositive();
            assertThat((double) row.get("other")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
            assertThat(row).containsKey("peer's bytes/frame");
        });
    }
}
