package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.lab.LabNic;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo from its command line to the record that QEMU made of it, with tshark as the judge. */
@Tag("guest")
class DemoIT {

    private static final int FRAMES = 3000;

    private final CapturedConsole console = new CapturedConsole();

    @TempDir
    private Path folder;

    @Test
    @SuppressWarnings("unchecked")
    void losesNothingAndQemuSawExactlyTheFramesThatItClaims() throws Exception {
        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of(
                        "demo",
                        "--json",
                        "--frames",
                        String.valueOf(FRAMES),
                        "--pcap",
                        folder.resolve("demo.pcap").toString()));

        assertThat(status).as(console.err()).isZero();
        Map<String, Object> result = Json.read(console.out());
        assertThat(result)
                .containsEntry("pass", true)
                .containsEntry("framesSent", 4 * FRAMES)
                .containsEntry("framesReceived", 4 * FRAMES)
                .containsEntry("lost", 0)
                .containsEntry("corrupt", 0)
                .containsKeys("seconds", "framesPerSecond", "bytesAllocatedPerFrame", "heapCollections");
        assertThat((List<Map<String, Object>>) result.get("nics"))
                .allSatisfy(nic -> assertThat(nic)
                        .containsEntry("ping", Map.of("sent", 5, "answered", 5))
                        .containsEntry("quiesced", true)
                        .containsEntry("released", true))
                .extracting(nic -> nic.get("driver"))
                .containsExactly("igb", "virtio");
        Map<String, Object> igb = (Map<String, Object>)
                ((List<Map<String, Object>>) result.get("nics")).getFirst().get("tcp");
        assertThat(igb)
                .containsEntry("queues", 2)
                .containsEntry("bytesReceived", 16 << 20)
                .containsEntry("segmentedByNic", true)
                .containsEntry("checksumErrors", 0);
        assertThat((Integer) igb.get("segments")).isGreaterThan((Integer) igb.get("frames") * 5);
        assertThat((Integer) igb.get("checksumsVerifiedByNic")).isPositive();
        assertThat(console.err())
                .contains("taking 0000:01:00.0 from the kernel: from igb to vfio-pci")
                .contains("giving 0000:01:00.0 back: to igb")
                .contains("giving 0000:03:00.0 back: to virtio-pci");

        assumeTrue(
                Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "tshark"))),
                "SKIPPED: there is no tshark on the PATH to judge what QEMU recorded; ./verify installs it on Debian as"
                        + " root");
        judge(Lab.IGB);
        judge(Lab.VIRTIO);
    }

    @Test
    @SuppressWarnings("unchecked")
    void leavesAFewFramesWhereTemporaryFilesGoUnlessAskedForAll() throws IOException {
        int frames = 5000;
        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("demo", "--json", "--nic=virtio", "--frames", String.valueOf(frames)));

        assertThat(status).as(console.err()).isZero();
        Map<String, Object> result = Json.read(console.out());
        Map<String, Object> nic = ((List<Map<String, Object>>) result.get("nics")).getFirst();
        Path pcap = Path.of((String) nic.get("pcap"));
        assertThat(pcap).startsWith(Path.of(System.getProperty("java.io.tmpdir")));
        // Of 60 to 1514 bytes each, of which there are 10,000.
        assertThat(Files.size(pcap)).isBetween(10_000L, 1_800_000L);
        assertThat(Files.list(Path.of(""))).noneMatch(file -> file.toString().endsWith(".pcap"));
        Files.delete(pcap);
        Files.delete(pcap.getParent());
    }

    private void judge(LabNic nic) throws IOException, InterruptedException {
        Path pcap = folder.resolve("demo-" + nic.driver() + ".pcap");
        // 0x4e75 marks a numbered frame.
        String numbered = "eth.type == 0x88b5 && data.data[0:2] == 4e:75 && eth.src == ";
        assertThat(count(pcap, numbered + nic.mac())).isEqualTo(FRAMES);
        assertThat(count(pcap, numbered + nic.peerMac())).isEqualTo(FRAMES);
        assertThat(count(pcap, "arp.opcode == 2 && eth.src == " + nic.mac())).isPositive();
        assertThat(count(
                        pcap,
                        "icmp.type == 0 && eth.src == " + nic.mac()
                                + " && icmp.checksum.status == 1 && ip.checksum.status == 1"))
                .isEqualTo(5);
        assertThat(frames(pcap, "tcp.checksum.status == 0")).isEmpty();
        assertThat(frames(pcap, "_ws.malformed")).isEmpty();
    }

    private int count(Path pcap, String filter) throws IOException, InterruptedException {
        return frames(pcap, filter).size();
    }

    /** A line each. */
    private List<String> frames(Path pcap, String filter) throws IOException, InterruptedException {
        Path output = folder.resolve("tshark.txt");
        Process tshark = new ProcessBuilder(
                        "tshark",
                        "-r",
                        pcap.toString(),
                        "-o",
                        "ip.check_checksum:TRUE",
                        "-o",
                        "tcp.check_checksum:TRUE",
                        "-Y",
                        filter,
                        "-T",
                        "fields",
                        "-e",
                        "frame.number",
                        "-e",
                        "_ws.col.Info",
                        "-e",
                        "eth.src",
                        "-e",
                        "frame.len",
                        "-e",
                        "tcp.checksum",
                        "-e",
                        "tcp.seq_raw")
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(tshark.waitFor(60, TimeUnit.SECONDS))
                    .as("tshark ends in time")
                    .isTrue();
            assertThat(tshark.exitValue()).as("tshark -Y '%s'", filter).isZero();
            return Files.readAllLines(output);
        } finally {
            tshark.destroyForcibly();
        }
    }
}
