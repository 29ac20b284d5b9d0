package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** QEMU's 82576, taken for each other model in turn: what their tables say is written, and frames come through all the same. */
@Tag("qtest")
class IgbModelsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().ram(512L << 20).start();
    private final FrameBatch batch = new FrameBatch(32);

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    @ParameterizedTest
    @EnumSource
    void exchangesFramesByAllQueuesOfEachModel(IgbModel model) {
        Slot slot = new Slot(machine.open(0));
        slot.otherPhy = !model.equals(IgbModel.I82576);
        NicConfig all = NicConfig.defaults().withQueues(model.queues());
        try (IgbNic nic = IgbNic.open("igb 0", slot, model, all)) {
            assertThat(nic.model()).isEqualTo(model.toString());
            nic.awaitLink(PATIENCE);
            nic.ability(MacFilter.class).allMulticast(true);
            byte[] frame = new byte[60];
            Arrays.fill(frame, 0, 6, (byte) 0xff);
            machine.peer(0).send(frame);
            assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                    .isTrue();
            for (int queue = 0; queue < model.queues(); queue++) {
                if (batch.isEmpty()) {
                    nic.rxQueue(queue).pool().allocate(batch, 1);
                    batch.frame(0).copyFrom(frame);
                }
                assertThat(nic.txQueue(queue).send(batch)).isEqualTo(1);
                assertThat(machine.peer(0).receive(PATIENCE)).isEqualTo(frame);
            }
            nic.reset();
            nic.awaitLink(PATIENCE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void saysHowManyQueuesAModelHas(IgbModel model) {
        Slot slot = new Slot(machine.open(0));
        NicConfig more = NicConfig.defaults().withQueues(model.queues() + 1);
        assertThatThrownBy(() -> IgbNic.open("igb 0", slot, model, more))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("an " + model + " has " + model.queues() + " queues in each direction");
        assertThat(slot.closed).isTrue();
    }
}
