package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.ability.CounterValue;
import io.doorbell.frame.ability.Loss;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IgbLossesTest {

    private static List<CounterValue> counters(Object... namesAndValues) {
        List<CounterValue> counters = new ArrayList<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            counters.add(new CounterValue((String) namesAndValues[i], (Integer) namesAndValues[i + 1], ""));
        }
        return counters;
    }

    @Test
    void findsNothingWhereNothingWasLost() {
        assertThat(IgbLosses.of(counters("GPRC", 100, "RNBC", 3, "rx[0].frames", 100, "rx[0].starved", 1), 0, 0))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "CRCERRS, damaged on the wire, cable",
        "RXERRC, damaged on the wire, cable",
        "RUC, shorter than 64 bytes, duplex",
        "ROC, longer than this NIC was opened for, withBufferSize",
        "RQDPC[1], no free descriptor, withRingSizes",
        "MPC, packet buffer was full, PCI Express",
        "rx[3].dropped, dropped by the driver, MORE_SEGMENTS",
        "LATECOL, collisions, duplex"
    })
    void saysWhereFramesWereLostAndWhatHelps(String counter, String cause, String advice) {
        List<Loss> losses = IgbLosses.of(counters("GPRC", 100, counter, 7), 0, 0);
        assertThat(losses).hasSize(1);
        assertThat(losses.getFirst().frames()).isEqualTo(7);
        assertThat(losses.getFirst().cause()).contains(cause);
        assertThat(losses.getFirst().advice()).contains(advice);
    }

    @Test
    void tellsAPoolThatRanOutFromThreadsThatDoNotKeepUp() {
        String starved = IgbLosses.of(counters("RQDPC[0]", 5, "rx[0].starved", 9), 0, 0)
                .getFirst()
                .advice();
        assertThat(starved).contains("the pool had run out 9 times").contains("larger pool");
        String slow = IgbLosses.of(counters("RQDPC[0]", 5, "rx[0].starved", 0), 0, 0)
                .getFirst()
                .advice();
        assertThat(slow).contains("did not keep up").doesNotContain("pool");
        assertThat(IgbLosses.of(counters("MPC", 5, "RNBC", 4), 0, 0).getFirst().advice())
                .contains("did not keep up");
    }

    @Test
    void countsWhatWasNotSentWhenTheDeviceWasStopped() {
        assertThat(IgbLosses.of(counters("GPTC", 5), 3, 0).getFirst())
                .satisfies(loss -> assertThat(loss.frames()).isEqualTo(3))
                .satisfies(loss -> assertThat(loss.advice()).contains("TxQueue.reclaim"));
    }
}
