package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo from its command line to the record that QEMU made of it, with tshark as the judge. */
class DemoIT {

    private static final int FRAMES = 3000;

    private final CapturedConsole console = new CapturedConsole();

    @TempDir
    private Path folder;

    @Test
    void losesNothingAndQemuSawExactlyTheFramesThatItClaims() throws Exception {
        Path pcap = folder.resolve("igb.pcap");

        int status = NicCtl.run(
                Context.ofProcess(console.console()),
                List.of("demo", "--json", "--frames", String.valueOf(FRAMES), "--pcap", pcap.toString()));

        assertThat(status).as(console.err()).isZero();
        Map<String, Object> result = Json.read(console.out());
        assertThat(result)
                .containsEntry("pass", true)
                .containsEntry("framesSent", 2 * FRAMES)
                .containsEntry("framesReceived", 2 * FRAMES)
                .containsEntry("lost", 0)
                .containsEntry("corrupt", 0)
                .containsKeys("seconds", "framesPerSecond", "bytesAllocatedPerFrame", "heapCollections");
        assertThat(console.err())
                .contains("taking 0000:01:00.0 from the kernel: from igb to vfio-pci", "5 of 5 answered");

        // 0x4e75 marks a numbered frame.
        assertThat(count(pcap, "eth.type == 0x88b5 && data.data[0:2] == 4e:75 && eth.src == " + Lab.IGB_MAC))
                .isEqualTo(FRAMES);
        assertThat(count(pcap, "eth.type == 0x88b5 && data.data[0:2] == 4e:75 && eth.src == " + Lab.PEER_MAC))
                .isEqualTo(FRAMES);
        assertThat(count(pcap, "arp.opcode == 2 && eth.src == " + Lab.IGB_MAC)).isPositive();
        assertThat(count(
                        pcap,
                        "icmp.type == 0 && eth.src == " + Lab.IGB_MAC
                                + " && icmp.checksum.status == 1 && ip.checksum.status == 1"))
                .isEqualTo(5);
        assertThat(count(pcap, "_ws.malformed")).isZero();
    }

    private int count(Path pcap, String filter) throws IOException, InterruptedException {
        Path output = folder.resolve("tshark.txt");
        Process tshark = new ProcessBuilder(
                        "tshark",
                        "-r",
                        pcap.toString(),
                        "-o",
                        "ip.check_checksum:TRUE",
                        "-Y",
                        filter,
                        "-T",
                        "fields",
                        "-e",
                        "frame.number")
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(tshark.waitFor(60, TimeUnit.SECONDS))
                    .as("tshark ends in time")
                    .isTrue();
            assertThat(tshark.exitValue()).as("tshark -Y '%s'", filter).isZero();
            return Files.readAllLines(output).size();
        } finally {
            tshark.destroyForcibly();
        }
    }
}
