package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.InterruptModeration;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How often QEMU's device interrupts. */
@Tag("qtest")
class IgbModerationTest {

    private final QtestMachine machine = QtestMachine.builder().nic("igb").start();
    private final IgbNic nic = IgbNic.open(
            "igb 0", machine.open(0), IgbModel.I82576, NicConfig.defaults().withQueues(2));

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    private int intervalOf(int queue) {
        return IgbRegisters.EITR_INTERVAL.in(nic.registerFile().read(IgbRegisters.EITR, 1 + queue));
    }

    @Test
    void spreadsInterruptsOutAlsoAfterAReset() {
        InterruptModeration moderation = nic.ability(InterruptModeration.class);
        assertThat(moderation.interval()).isZero();
        moderation.interval(Duration.ofNanos(249_001)); // before anybody sleeps
        nic.ability(QueueInterrupts.class).rxAlarm(0);
        assertThat(intervalOf(0)).isEqualTo(250);
        assertThat(intervalOf(1)).isEqualTo(250);
        assertThat(moderation.interval()).isEqualTo(Duration.ofNanos(250_000));

        moderation.interval(moderation.longest());
        assertThat(intervalOf(1)).isEqualTo(8191);
        nic.reset();
        assertThat(intervalOf(0)).isEqualTo(8191);
        nic.stop();
        moderation.interval(Duration.ZERO);
        nic.start();
        assertThat(intervalOf(0)).isZero();
    }

    @Test
    void refusesIntervalsThatTheDeviceCannotDo() {
        InterruptModeration moderation = nic.ability(InterruptModeration.class);
        for (Duration bad : new Duration[] {Duration.ofNanos(-1), Duration.ofMillis(9), Duration.ofDays(400_000)}) {
            assertThatThrownBy(() -> moderation.interval(bad))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("igb 0 spreads interrupts out by 0 to 8191 microseconds, not " + bad);
        }
    }
}
