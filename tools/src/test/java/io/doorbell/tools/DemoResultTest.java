package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.NumberedExchange.Counts;
import io.doorbell.tools.DemoResult.Direction;
import io.doorbell.tools.DemoResult.NicResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
    void saysOnWhichWayFramesWereLost() {
        DemoResult result = result(ALL, new Counts(1000, 1000, 990, 3, 0, 0, 0), 5);

        assertThat(result.explainFailure())
                .isEqualTo("the demo failed: from igb to the peer: 1,000 of 1,000 frames were sent, 990 arrived,"
                        + " 7 were lost, 3 corrupt, 0 duplicates");
    }

    @Test
    void showsEachDirectionAndBothInATable() {
        assertThat(result(ALL, ALL, 5).nics().getFirst().table()).hasToString("""
                FRAMES        SENT  RECEIVED  LOST  CORRUPT  FRAMES/S  BYTES ALLOCATED/FRAME  HEAP COLLECTIONS
                peer to igb  1,000     1,000     0        0       500                      -                 -
                igb to peer  1,000     1,000     0        0       500                      -                 -
                both         2,000     2,000     0        0     1,000                   0.50                 2
                """);
    }

    @Test
    @SuppressWarnings("unchecked")
    void hasTheSumsAndEachNicInItsJson() {
        Map<String, Object> json = Json.read(Json.write(result(ALL, ALL, 5).toJson(12.5)));

        assertThat(json)
                .containsEntry("pass", true)
                .containsEntry("seconds", 12.5)
                .containsEntry("framesSent", 2000)
                .containsEntry("framesReceived", 2000)
                .containsEntry("lost", 0)
                .containsEntry("corrupt", 0)
                .containsEntry("framesPerSecond", 1000)
                .containsEntry("bytesAllocatedPerFrame", 0.5)
                .containsEntry("heapCollections", 2);
        Map<String, Object> nic = ((List<Map<String, Object>>) json.get("nics")).getFirst();
        assertThat(nic)
                .containsEntry("driver", "igb")
                .containsEntry("pass", true)
                .containsEntry("ping", Map.of("sent", 5, "answered", 5))
                .containsEntry("pcap", "/tmp/a.pcap");
        assertThat((Map<String, Object>) nic.get("nicToPeer")).containsEntry("framesReceived", 1000);
    }

    @Test
    void survivesTheWayFromTheGuestInOneLine() {
        GuestReport report = report(ALL, 5);

        assertThat(report.toLine()).doesNotContain("\n");
        assertThat(GuestReport.parse(report.toLine())).isEqualTo(report);
    }

    private static DemoResult result(Counts atNic, Counts atPeer, int pingsAnswered) {
        return new DemoResult(List.of(new NicResult(
                1000,
                Direction.of(atPeer, atNic),
                Direction.of(atNic, atPeer),
                report(atNic, pingsAnswered),
                Path.of("/tmp/a.pcap"))));
    }

    private static GuestReport report(Counts counts, int pingsAnswered) {
        return new GuestReport(
                "igb", "Intel 82576", "0000:01:00.0", Lab.IGB_MAC, "up", 5, pingsAnswered, 2.0, counts, 1000, 500, 2);
    }
}
