package io.doorbell.bench.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import io.doorbell.frame.warmup.WarmUp;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
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

    /** A bridge between two NICs, as a switch is one: it knows where frames came from, and passes on what is for there. */
    @Test
    void warmsUpALoopThatForwardsBetweenSeveralNics() {
        SequencedMap<String, NicConfig> names = new LinkedHashMap<>();
        try (FramePool pool = FramePool.create(4096, 2048)) {
            names.put("vhost-user:/nowhere", CONFIG.withPool(pool));
            names.put("vhost-user:/elsewhere", CONFIG.withPool(pool).withoutFeatures("VIRTIO_F_RING_PACKED"));
            FrameBatch batch = new FrameBatch(64);
            Set<Nic> seen = new HashSet<>();
            Set<MacAddress> sources = new HashSet<>();
            Map<MacAddress, Integer> forwarded = new HashMap<>();
            WarmUp done = WarmUp.run(names, Duration.ofSeconds(10), nics -> {
                assertThat(nics).hasSize(2);
                seen.addAll(nics);
                for (int port = 0; port < 2; port++) {
                    nics.get(port).rxQueue(0).receive(batch);
                    for (int i = 0; i < batch.size(); i++) {
                        sources.add(batch.frame(i).getMac(6));
                        forwarded.merge(batch.frame(i).getMac(0), 1, Integer::sum);
                    }
                    nics.get(1 - port).txQueue(0).send(batch);
                    batch.release();
                }
            });
            assertThat(done.frames()).isPositive();
            assertThat(seen).as("four ways and two").hasSize(6);
            assertThat(sources).as("a neighbour of each").hasSize(2);
            assertThat(forwarded.keySet()).as("both are sent to").containsAll(sources);
            assertThat(pool.available()).isEqualTo(pool.buffers());
        }
    }

    @Test
    void closesTheOtherNicsWhenOneHasNoSimulation() {
        SequencedMap<String, NicConfig> names = new LinkedHashMap<>();
        try (FramePool pool = FramePool.create(1024, 2048)) {
            names.put("vhost-user:/nowhere", CONFIG.withPool(pool));
            names.put("vhost-user-backend:/nowhere", CONFIG.withPool(pool));
            assertThatThrownBy(() -> WarmUp.run(names, Duration.ofSeconds(1), nics -> {}))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("vhost-user-backend:/nowhere");
            assertThat(pool.available()).isEqualTo(pool.buffers());
            assertThatThrownBy(() -> WarmUp.run(new LinkedHashMap<>(), Duration.ofSeconds(1), nics -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("empty");
        }
    }

    @Test
    void refusesNoTimeAtAll() {
        assertThatThrownBy(() -> WarmUp.run("vhost-user:/nowhere", CONFIG, Duration.ZERO, nic -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("atMost");
    }
}
