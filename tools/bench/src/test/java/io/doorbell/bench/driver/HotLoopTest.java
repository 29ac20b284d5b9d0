package io.doorbell.bench.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Hot loops stay compiled once they are warm. A deoptimisation throws a loop back into the interpreter for as long as it
 * takes to compile it anew, in which a ring overflows.
 */
@Tag("c2")
class HotLoopTest {

    private static final String DEOPTIMISATION = "jdk.Deoptimization";
    private static final int BATCH = 32;
    private static final int BATCHES_A_ROUND = 1000;
    /** As much work as a batch of frames is: else the warm-up is over before the JIT has had its turn. */
    private static final int STEPS_A_BATCH = 3000;

    private static final long WARM_UP_ROUNDS = 500;
    private static final long ROUNDS = 500;
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    private volatile long rounds;
    private volatile boolean recorded;
    private volatile boolean stopped;
    private long sum;

    @ParameterizedTest
    @ValueSource(strings = {"igb", "split", "packed"})
    void isNotDeoptimisedOnceItIsWarm(String ring) throws Exception {
        try (SimulatedRings rings = SimulatedRings.open(ring, 256)) {
            FrameBatch batch = new FrameBatch(BATCH);
            assertThat(deoptimisations(() -> forward(rings, batch))).isEmpty();
        }
    }

    /** The judge of the test above is not blind. */
    @Test
    void seesADeoptimisation() throws Exception {
        assertThat(deoptimisations(this::takeANewTurnOnceWarm)).isNotEmpty();
    }

    private static void forward(SimulatedRings rings, FrameBatch batch) {
        for (int i = 0; i < BATCHES_A_ROUND; i++) {
            rings.arrive(BATCH);
            rings.rx().receive(batch);
            for (int j = 0; j < batch.size(); j++) {
                batch.frame(j).swapMacs();
            }
            rings.tx().send(batch);
            rings.depart(BATCH);
        }
    }

    private void takeANewTurnOnceWarm() {
        boolean turn = recorded;
        for (int i = 0; i < BATCHES_A_ROUND * STEPS_A_BATCH; i++) {
            sum += turn ? Long.numberOfTrailingZeros(sum) : i;
        }
    }

    /** Has a thread do rounds of work, and returns which of its methods were deoptimised after its warm-up. */
    private List<String> deoptimisations(Runnable round) throws IOException, InterruptedException {
        Thread poller = Thread.ofPlatform().name("poller").daemon().start(() -> {
            while (!stopped) {
                round.run();
                rounds++;
            }
        });
        Path file = folder.resolve("deoptimisations.jfr");
        try (Recording recording = new Recording()) {
            recording.enable(DEOPTIMISATION).withoutStackTrace();
            awaitRounds(WARM_UP_ROUNDS);
            recording.start();
            recorded = true;
            awaitRounds(rounds + ROUNDS);
            recording.stop();
            recording.dump(file);
        } finally {
            stopped = true;
            poller.join(DEADLINE);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals(DEOPTIMISATION))
                .filter(event -> event.getThread().getJavaThreadId() == poller.threadId())
                .map(HotLoopTest::describe)
                .toList();
    }

    private void awaitRounds(long wanted) throws InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (rounds < wanted) {
            assertThat(System.nanoTime())
                    .as("rounds done in a minute: %d", rounds)
                    .isLessThan(end);
            Thread.sleep(1);
        }
    }

    private static String describe(RecordedEvent event) {
        return event.getValue("method") + " line " + event.getInt("lineNumber") + ": " + event.getString("reason");
    }
}
