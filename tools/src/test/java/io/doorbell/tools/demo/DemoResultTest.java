package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.link.NumberedExchange.Counts;
import io.doorbell.tools.demo.DemoResult.NicResult;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.text.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DemoResultTest {

    private static final Counts ALL = new Counts(1000, 1000, 1000, 0, 0, 0, 3);

    @Test
    void passesWhenEveryFrameArrivedOnceAndWholeAndEveryPingWasAnswered() {
        assertThat(result(ALL, ALL, 5).pass()).isTrue();
    }

    @Test
    void failsWhenAFrameWasLostDamagedDuplicatedOrNeverSent() {
        Counts lost = new Counts(1000, 1000, 999, 0, 0, 0, 0);
        Counts corrupt = new Counts(1000, 1000, 999, 1, 0, 0, 0);
        Counts twice = new Counts(1000, 1000, 1000, 0, 1, 0, 0);
        Counts unsent = new Counts(999, 1000, 1000, 0, 0, 0, 0);

        for (Counts bad : List.of(lost, corrupt, twice, unsent)) {
            assertThat(result(bad, ALL, 5).pass()).as("at the NIC: %s", bad).isFalse();
            assertThat(result(ALL, bad, 5).pass()).as("at the peer: %s", bad).isFalse();
        }
    }

    @Test
    void failsWhenAPingWasNotAnsweredAndSaysSo() {
        DemoResult result = result(ALL, ALL, 4);

        assertThat(result.pass()).isFalse();
        assertThat(result.explainFailure()).isEqualTo("the demo failed: igb answered 4 of 5 pings");
    }

    @Test
    void failsWhenTheClosedNicIsNotQuietOrNotLetGoAndSaysSo() {
        NicReport report = report("igb", ALL, 5);

        assertThat(result(report.closed(false, true), ALL).explainFailure())
                .isEqualTo("the demo failed: igb could still reach memory when it had been closed");
        assertThat(result(report.closed(true, false), ALL).explainFailure())
                .isEqualTo("the demo failed: the process still held memory or files of igb when it had been closed");
    }

    @Test
    void failsWhenBytesAreMissingAtTheKernelOrAChecksumWasWrongAndSaysSo() {
        TcpResult lost = new TcpResult(2, 2000, 1999, 4, 40, true, 3, 5, 0);

        assertThat(result(report("igb", ALL, 5, lost, IdleTime.NONE), ALL).explainFailure())
                .isEqualTo("the demo failed: igb sent 2,000 bytes to the kernel by TCP, of which 1,999 arrived, with 3"
                        + " checksum errors");
    }

    @Test
    void failsWhenItDidNotSleepAndSaysSo() {
        IdleTime awake = new IdleTime(2_000_000_000, 1_900_000_000);

        assertThat(result(report("igb", ALL, 5, TcpResult.NONE, awake), ALL).explainFailure())
                .isEqualTo("the demo failed: igb took 95.0 % of 2.0 s of a CPU with nothing to do");
    }

    @Test
    void failsWhenOneNicOfSeveralDid() {
        NicReport virtio = report("virtio", ALL, 5).closed(false, true);

        assertThat(result(report("igb", ALL, 5), ALL, virtio).pass()).isFalse();
    }

    @Test
    void saysOnWhichWayFramesWereLost() {
        DemoResult result = result(ALL, new Counts(1000, 1000, 990, 3, 0, 0, 0), 5);

        assertThat(result.explainFailure())
                .isEqualTo("the demo failed: from igb to the peer: 1,000 of 1,000 frames were sent, 990 arrived,"
                        + " 7 were lost, 3 corrupt, 0 duplicates");
    }

    @Test
    void showsAColumnForEachNicInATable() {
        DemoResult result = result(report("igb", ALL, 5), ALL, report("virtio", ALL, 5));

        assertThat(result.table()).hasToString("""
                                                         igb             virtio
                model                                igb NIC         virtio NIC
                pings answered                        5 of 5             5 of 5
                queues, a thread each                      2                  2
                sent to the kernel by TCP             16 MiB             16 MiB
                frames, into segments      1,024 into 12,000  1,024 into 12,000
                segments and checksums by            the NIC            the NIC
                checksum errors there                      0                  0
                checksums verified by NIC                700                700
                CPU time asleep               0.3 % of 2.0 s     0.3 % of 2.0 s
                frames from peer to NIC                1,000              1,000
                frames from NIC to peer                1,000              1,000
                lost                                       0                  0
                corrupt                                    0                  0
                duplicates                                 0                  0
                frames a second                        1,000              1,000
                bytes allocated a frame                 0.50               0.50
                heap collections                           2                  2
                quiet once closed                        yes                yes
                memory given back                        yes                yes
                """);
    }

    @Test
    @SuppressWarnings("unchecked")
    void hasTheSumsAndEachNicInItsJson() {
        DemoResult both = result(report("igb", ALL, 5), ALL, report("virtio", ALL, 5));

        Map<String, Object> json = Json.read(Json.write(both.toJson(12.5)));

        assertThat(json)
                .containsEntry("pass", true)
                .containsEntry("seconds", 12.5)
                .containsEntry("framesSent", 4000)
                .containsEntry("framesReceived", 4000)
                .containsEntry("lost", 0)
                .containsEntry("corrupt", 0)
                .containsEntry("framesPerSecond", 1000)
                .containsEntry("bytesAllocatedPerFrame", 0.5)
                .containsEntry("heapCollections", 4);
        List<Map<String, Object>> nics = (List<Map<String, Object>>) json.get("nics");
        assertThat(nics).extracting("driver").containsExactly("igb", "virtio");
        assertThat(nics.getFirst())
                .containsEntry("pass", true)
                .containsEntry("ping", Map.of("sent", 5, "answered", 5))
                .containsEntry("quiesced", true)
                .containsEntry("released", true)
                .containsEntry("pcap", "/tmp/a.pcap");
        assertThat((Map<String, Object>) nics.getFirst().get("nicToPeer")).containsEntry("framesReceived", 1000);
    }

    @Test
    void survivesTheWayFromTheGuestInOneLine() {
        NicReport report = report("igb", ALL, 5);

        assertThat(report.toLine()).doesNotContain("\n");
        assertThat(NicReport.parse(report.toLine())).isEqualTo(report);
    }

    private static DemoResult result(Counts atNic, Counts atPeer, int pingsAnswered) {
        return result(report("igb", atNic, pingsAnswered), atPeer);
    }

    private static DemoResult result(NicReport report, Counts atPeer, NicReport... more) {
        return new DemoResult(Stream.concat(Stream.of(report), Stream.of(more))
                .map(each -> NicResult.of(1000, each, atPeer, Path.of("/tmp/a.pcap")))
                .toList());
    }

    private static NicReport report(String driver, Counts counts, int pingsAnswered) {
        return report(
                driver,
                counts,
                pingsAnswered,
                new TcpResult(2, 16 << 20, 16 << 20, 1024, 12_000, true, 0, 700, 0),
                new IdleTime(2_000_000_000, 6_000_000));
    }

    private static NicReport report(String driver, Counts counts, int pingsAnswered, TcpResult tcp, IdleTime idle) {
        return new NicReport(
                driver,
                driver + " NIC",
                "0000:01:00.0",
                Lab.IGB.mac(),
                "up",
                new Pings(5, pingsAnswered),
                tcp,
                idle,
                2.0,
                counts,
                1000,
                500,
                2,
                true,
                true);
    }
}
