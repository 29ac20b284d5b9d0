package io.doorbell.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import io.doorbell.frame.warmup.WarmUp;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Simulated NICs work as others do. */
class SimulatedNicTest {

    private static final NicConfig CONFIG = NicConfig.defaults().withRingSizes(64, 64);

    @ParameterizedTest
    @CsvSource({"igb, 0000:00:00.0, 1", "virtio, 0000:00:00.0, 4", "vhost-user, vhost-user:/nowhere, 4"})
    void movesEachFrameOnceAndLosesNoBuffer(String driver, String name, int ways) {
        List<SimulatedNic> all = Simulation.of(driver, name, CONFIG);
        assertThat(all).hasSize(ways);
        for (SimulatedNic simulated : all) {
            Nic nic = simulated.nic();
            FramePool pool = nic.rxQueue(0).pool();
            int before = pool.available();
            FrameBatch batch = new FrameBatch(64);
            for (int turn = 0; turn < 500; turn++) {
                int arrived = simulated.arrive(turn % 30);
                assertThat(nic.rxQueue(0).receive(batch)).isEqualTo(arrived);
                for (int i = 0; i < arrived; i++) {
                    assertThat(batch.frame(i).length()).isBetween(60, 1514);
                    assertThat(batch.frame(i).getMac(0).isMulticast()
                                    || batch.frame(i).getMac(0).equals(nic.macAddress()))
                            .isTrue();
                }
                assertThat(nic.txQueue(0).send(batch)).isEqualTo(arrived);
                assertThat(simulated.depart(SimulatedNic.ALL)).isEqualTo(arrived);
            }
            assertThat(nic.txQueue(0).reclaim()).isZero();
            // The ring holds as many as at first, but for those whose turn to be replaced has not come.
            assertThat(pool.available()).isBetween(before, before + 32);
            simulated.close();
            assertThat(pool.available()).isEqualTo(pool.buffers());
            assertThatThrownBy(() -> nic.rxQueue(0).receive(batch)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void saysThatABackEndHasNone() {
        assertThatThrownBy(() -> WarmUp.run("vhost-user-backend:/nowhere", CONFIG, Duration.ofSeconds(1), nic -> {}))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("vhost-user-backend:/nowhere")
                .hasMessageContaining("without a warm-up");
    }

    @Test
    void refusesNoTimeAtAll() {
        assertThatThrownBy(() -> WarmUp.run("vhost-user:/nowhere", CONFIG, Duration.ZERO, nic -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("atMost");
    }
}
