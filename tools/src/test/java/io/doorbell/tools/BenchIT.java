package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.qemu.link.HostTap;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code nicctl bench} measures what it says, whatever the figures are. */
class BenchIT {

    @TempDir
    private Path folder;

    private static void assumeDpdk() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "dpdk-testpmd"))),
                "SKIPPED: there is no dpdk-testpmd on the PATH to compare with; ./verify installs it on Debian as root"
                        + " (package dpdk-dev)");
        assumeTwoProcessors();
    }

    private static void assumeTwoProcessors() {
        assumeTrue(
                Runtime.getRuntime().availableProcessors() > 1,
                "SKIPPED: a comparison needs two processors, one for each end");
    }

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

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> rows(String json) {
        return (List<Map<String, Object>>) Json.read("{\"rows\":" + json + "}").get("rows");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vhost-user-forward", "null-forward"})
    void comparesDoorbellWithDpdk(String scenario) {
        assumeDpdk();
        CapturedConsole console = new CapturedConsole();
        Path chart = folder.resolve("chart.svg");

        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("bench", "--quick", "--json", "--chart", chart.toString(), scenario));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out())).hasSizeBetween(3, 4).allSatisfy(row -> {
            assertThat(row)
                    .containsEntry("scenario", scenario)
                    .containsEntry("unit", "Mframes/s")
                    .containsKeys("ring", "peer", "low", "high");
            assertThat((double) row.get("ratio")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
        });
        assertThat(chart).content().startsWith("<svg");
    }

    @Test
    void comparesDoorbellsIgbWithOthersInAVirtualMachine() {
        assumeDpdk();
        CapturedConsole console = new CapturedConsole();

        int status = NicCtl.run(Context.ofProcess(console.console()), List.of("bench", "--quick", "--json", "igb"));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out())).hasSize(6).allSatisfy(row -> {
            assertThat(row).containsEntry("ring", "igb").containsEntry("unit", "Mframes/s");
            assertThat((double) row.get("doorbell")).isPositive();
            assertThat((double) row.get("other")).isPositive();
            assertThat((double) row.get("instructions/frame")).isPositive();
        });
        assertThat(rows(console.out()))
                .filteredOn(row -> row.get("peer").equals("DPDK, igb"))
                .hasSize(3)
                .allSatisfy(row -> assertThat((double) row.get("peer's instructions/frame"))
                        .isPositive());
    }

    @Test
    void measuresRoundTripsWithEachGarbageCollector() throws Exception {
        assumeDpdk();
        CapturedConsole console = new CapturedConsole();
        Path plots = folder.resolve("plots");

        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("bench", "--quick", "--json", "--plots", plots.toString(), "latency"));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out()))
                .extracting(row -> row.get("scenario"))
                .containsExactly(
                        "latency-10k-g1",
                        "latency-10k-zgc",
                        "latency-10k-parallel",
                        "latency-100k-g1",
                        "latency-100k-zgc",
                        "latency-100k-parallel");
        assertThat(rows(console.out())).allSatisfy(row -> {
            assertThat((double) row.get("p50")).isPositive().isLessThanOrEqualTo((double) row.get("max"));
            assertThat((double) row.get("peer's p50")).isPositive();
        });
        assertThat(plots.resolve("latency-10k.svg")).content().startsWith("<svg");
        assertThat(plots.resolve("latency-100k-dpdk.hgrm")).content().contains("Percentile");
    }

    @Test
    void plotsHowDoorbellAndDpdkScale() {
        assumeDpdk();
        CapturedConsole console = new CapturedConsole();
        Path plots = folder.resolve("plots");

        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("bench", "--quick", "--json", "--plots", plots.toString(), "scale"));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out()))
                .extracting(row -> row.get("scenario") + ": " + row.get("ring"))
                .containsExactly(
                        "scale-queues: packed, 1 queue",
                        "scale-queues: packed, 2 queues",
                        "scale-pool: packed, 1 K buffers",
                        "scale-pool: packed, 64 K buffers",
                        "scale-batch: packed, batch 1",
                        "scale-batch: packed, batch 128",
                        "scale-size: packed, 64 bytes",
                        "scale-size: packed, 9000 bytes");
        assertThat(rows(console.out())).allSatisfy(row -> {
            assertThat(row).containsEntry("unit", "Mframes/s").containsKeys("peer", "low", "high");
            assertThat((double) row.get("ratio")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
        });
        assertThat(plots)
                .isDirectoryContaining("glob:**scale-queues.svg")
                .isDirectoryContaining("glob:**scale-pool.svg");
        assertThat(plots.resolve("scale-batch.svg")).content().contains("DPDK", "Mframes/s", "<circle");
        assertThat(plots.resolve("scale-size.svg")).content().contains("DPDK", "Gbit/s", "<circle");
    }

    @Test
    void measuresTheStartColdAndFromACache() throws Exception {
        assumeDpdk();
        CapturedConsole console = new CapturedConsole();

        int status = NicCtl.run(Context.ofProcess(console.console()), List.of("bench", "--quick", "--json", "start"));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out()))
                .extracting(row -> row.get("scenario"))
                .containsExactly(
                        "start-cold",
                        "start-aot",
                        "start-first-second",
                        "start-first-second-warm",
                        "start-first-second-warm-aot");
        assertThat(rows(console.out()))
                .allSatisfy(row -> assertThat((double) row.get("doorbell")).isPositive());
    }

    @Test
    void comparesDoorbellWithWhatElseAJavaProgrammerHas() throws Exception {
        assumeTwoProcessors();
        assumeVethAndLibpcap();
        CapturedConsole console = new CapturedConsole();

        int status = NicCtl.run(Context.ofProcess(console.console()), List.of("bench", "--quick", "--json", "sockets"));

        assertThat(status).as(console.err()).isZero();
        assertThat(rows(console.out()))
                .extracting(row -> row.get("peer"))
                .containsExactly("DatagramChannel", "pcap4j, veth", "AF_PACKET, veth");
        assertThat(rows(console.out())).allSatisfy(row -> {
            assertThat((double) row.get("doorbell")).isPositive();
            assertThat((double) row.get("other")).isPositive();
            assertThat((double) row.get("bytes/frame")).isLessThan(1);
            assertThat(row).containsKey("peer's bytes/frame");
        });
    }
}
