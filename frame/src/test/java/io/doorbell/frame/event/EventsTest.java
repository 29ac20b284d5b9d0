package io.doorbell.frame.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.spi.LinkWatch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventsTest {

    private static final String NIC = "vhost-user:/run/my receive queue 0";

    @TempDir
    private Path dir;

    @Test
    void areShownByTheToolOfTheJdk() throws IOException {
        try (EventRecording recording = new EventRecording(dir)) {
            assertThatThrownBy(() -> NicOpen.report(NIC, () -> {
                        throw new DoorbellException("nobody listens");
                    }))
                    .hasMessage("nobody listens");
            NicReset.report(NIC, () -> {});
            LinkChange.report(NIC, new LinkState(true, 1000, true));
            QueueStop.report(NIC + " transmit queue 3", "it wrote nonsense");
            RingStall.report(NIC + " receive queue 1", "no buffers", 12_000_000);
            Reconnect.begun().report(NIC, 7);
            NicClose.report(NIC, () -> {});
            assertThat(recording.read())
                    .hasSize(7)
                    .allSatisfy(event -> assertThat(event.getString("nic")).isEqualTo(NIC));

            Process jfr = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "jfr")
                                    .toString(),
                            "print",
                            "--categories",
                            "Doorbell",
                            recording.file().toString())
                    .redirectErrorStream(true)
                    .start();
            assertThat(new String(jfr.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("doorbell.NicOpen", "failure = \"io.doorbell.DoorbellException: nobody listens\"")
                    .contains("doorbell.NicReset")
                    .contains("doorbell.LinkChange", "up = true", "megabitsPerSecond = 1000", "fullDuplex = true")
                    .contains("doorbell.QueueStop", "queue = \"transmit queue 3\"", "reason = \"it wrote nonsense\"")
                    .contains("doorbell.RingStall", "queue = \"receive queue 1\"", "stalledFor = 12.0 ms")
                    .contains("doorbell.Reconnect", "reconnects = 7")
                    .contains("doorbell.NicClose", "failure = \"\"");
        }
    }

    @Test
    void measureHowLongSomethingTook() {
        try (EventRecording recording = new EventRecording(dir)) {
            NicReset.report(NIC, () -> sleep(Duration.ofMillis(20)));
            Reconnect gone = Reconnect.begun();
            sleep(Duration.ofMillis(20));
            gone.report(NIC, 1);
            assertThat(recording.read())
                    .hasSize(2)
                    .allSatisfy(event -> assertThat(event.getDuration()).isGreaterThanOrEqualTo(Duration.ofMillis(20)));
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void tellOfALinkWhenItIsAnother() {
        LinkState fast = new LinkState(true, 1000, true);
        LinkState slow = new LinkState(true, 100, true);
        try (EventRecording recording = new EventRecording(dir)) {
            LinkWatch link = new LinkWatch(NIC);
            for (LinkState now : List.of(LinkState.DOWN, fast, fast, slow, LinkState.DOWN, LinkState.DOWN, fast)) {
                assertThat(link.seen(now)).isSameAs(now);
            }
            List<RecordedEvent> changes = recording.read();
            assertThat(changes)
                    .extracting(event -> event.getInt("megabitsPerSecond"))
                    .containsExactly(1000, 100, 0, 1000);
            assertThat(changes).extracting(event -> event.getBoolean("up")).containsExactly(true, true, false, true);
        }
    }

    @Test
    void areNotMadeWhileNobodyRecords() {
        NicReset.report(NIC, () -> {});
        NicClose.report(NIC, () -> {});
        LinkChange.report(NIC, LinkState.DOWN);
        QueueStop.report(NIC, "");
        RingStall.report(NIC, "", 1);
        assertThat(RingStall.isRecorded()).isFalse();
        try (EventRecording recording = new EventRecording(dir)) {
            assertThat(RingStall.isRecorded()).isTrue();
            assertThat(recording.read()).isEmpty();
        }
        assertThat(RingStall.isRecorded()).isFalse();
    }
}
