package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.doorbell.frame.event.EventRecording;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StallWatchTest {

    private static final String QUEUE = "0000:01:00.0 transmit queue 2";

    private static final int POLLS = 1_000_000;
    private static final long LONG = Duration.ofMillis(30).toNanos();

    @TempDir
    private Path dir;

    private final AtomicLong now = new AtomicLong(-5);
    private final StallWatch watch = StallWatch.full(QUEUE, now::get);

    private void pass(long milliseconds) {
        now.addAndGet(milliseconds * 1_000_000);
    }

    private static List<Long> milliseconds(List<RecordedEvent> events) {
        return events.stream()
                .map(event -> event.getDuration("stalledFor").toMillis())
                .toList();
    }

    @Test
    void reportsAtTenTimesTheTimeEach() {
        try (EventRecording recording = new EventRecording(dir)) {
            for (int i = 0; i <= 1200; i++) {
                watch.stuck(7);
                pass(1);
            }
            List<RecordedEvent> events = recording.read();
            assertThat(milliseconds(events)).containsExactly(10L, 100L, 1000L);
            assertThat(events).allSatisfy(event -> {
                assertThat(event.getString("nic")).isEqualTo("0000:01:00.0");
                assertThat(event.getString("queue")).isEqualTo("transmit queue 2");
                assertThat(event.getString("reason")).startsWith("full: ");
            });
        }
    }

    @Test
    void reportsOnceWhereNobodyLookedForLong() {
        try (EventRecording recording = new EventRecording(dir)) {
            watch.stuck(7);
            pass(5000);
            watch.stuck(7);
            watch.stuck(7);
            assertThat(milliseconds(recording.read())).containsExactly(5000L);
        }
    }

    @Test
    void startsAnewWhenTheRingHasGotOn() {
        try (EventRecording recording = new EventRecording(dir)) {
            for (int position = 0; position < 100; position++) {
                watch.stuck(position);
                pass(9);
                watch.stuck(position);
                pass(9);
            }
            watch.stuck(100);
            pass(11);
            watch.stuck(100);
            assertThat(milliseconds(recording.read())).containsExactly(11L);
        }
    }

    @Test
    void seesByAnEntryOfTheRingThatItHasGotOn() {
        int[] entries = {3, 4};
        try (EventRecording recording = new EventRecording(dir)) {
            watch.stuck(entries, 1);
            pass(9);
            watch.stuck(entries, 1);
            entries[1] = 5; // round the ring, and full at the same place again
            pass(9);
            watch.stuck(entries, 1);
            pass(12);
            watch.stuck(entries, 1);
            assertThat(milliseconds(recording.read())).containsExactly(12L);
            assertThat(entries[0]).isEqualTo(3);
        }
    }

    @Test
    void doesNothingWhileNobodyRecords() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        StallWatch real = StallWatch.full(QUEUE);
        int[] entries = {3};
        pollInVain(real, entries); // loads the classes
        long before = threads.getCurrentThreadAllocatedBytes();
        pollInVain(real, entries);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isZero();
        assertThat(entries).containsExactly(3);
    }

    /** For longer than the first report takes. */
    private static void pollInVain(StallWatch stall, int[] entries) {
        long end = System.nanoTime() + LONG;
        while (System.nanoTime() < end) {
            stall.stuck(7);
            stall.stuck(entries, 0);
        }
    }

    @Test
    void leavesNoGarbageWhileSomebodyRecords() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (EventRecording recording = new EventRecording(dir)) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (long i = 0; i < POLLS; i++) {
                watch.stuck(i % 3); // never for long
            }
            assertThat(threads.getCurrentThreadAllocatedBytes() - before)
                    .as("what the recorder does once in this thread is more than nothing, but no object a poll")
                    .isLessThan(POLLS);
            assertThat(recording.read()).isEmpty();
        }
    }
}
