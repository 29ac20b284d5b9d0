package io.doorbell.bench.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rings and devices that are measured do what they are measured for. */
class DriverBenchmarkTest {

    private static final int SIZE = 256;
    private static final int BATCH = 32;
    private static final int LAPS = 10;

    @ParameterizedTest
    @ValueSource(strings = {"igb", "split", "packed"})
    void movesEachFrameOnceAndLosesNoBuffer(String ring) {
        try (SimulatedRings rings = SimulatedRings.open(ring, SIZE)) {
            FrameBatch batch = new FrameBatch(BATCH);
            int before = rings.pool().available();
            for (int i = 0; i < LAPS * SIZE / BATCH; i++) {
                assertThat(rings.rx().receive(batch)).isZero();
                rings.arrive(BATCH);
                assertThat(rings.rx().receive(batch)).isEqualTo(BATCH);
                assertThat(batch.frame(BATCH - 1).length()).isEqualTo(SimulatedRings.FRAME);
                assertThat(rings.tx().send(batch)).isEqualTo(BATCH);
                rings.depart(BATCH);
            }
            assertThat(rings.tx().reclaim()).isZero();
            assertThat(rings.pool().available()).isEqualTo(before);
        }
    }
}
