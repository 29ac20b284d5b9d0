package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.FlowControl;
import io.doorbell.frame.ability.LinkControl;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.frame.ability.Pause;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The link of QEMU's device, whose other end offers up to 100 Mb/s at full duplex and 1000 Mb/s, and PAUSE. */
@Tag("qtest")
class IgbLinkControlTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().start();
    private final IgbNic nic = IgbNic.open("igb 0", machine.open(0), IgbModel.I82576, NicConfig.defaults());
    private final LinkControl control = nic.ability(LinkControl.class);
    private final FlowControl flow = nic.ability(FlowControl.class);

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    @Test
    void negotiatesAnewWithOtherSettings() {
        nic.awaitLink(PATIENCE);
        assertThat(control.settings()).isEqualTo(LinkSettings.automatic());
        assertThat(control.partner()).contains(LinkMode.HUNDRED_FULL, LinkMode.GIGABIT_FULL);

        LinkSettings wanted = LinkSettings.offering(LinkMode.HUNDRED_FULL, LinkMode.GIGABIT_FULL);
        control.settings(wanted);
        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThat(nic.awaitLink(PATIENCE).up()).isTrue();
        nic.reset();
        assertThat(control.settings()).isEqualTo(wanted);
        assertThat(nic.awaitLink(PATIENCE).up()).isTrue();
    }

    @Test
    void forcesASpeed() {
        nic.awaitLink(PATIENCE);
        control.settings(LinkSettings.forced(LinkMode.HUNDRED_FULL));
        assertThat(nic.linkState()).isEqualTo(new LinkState(true, 100, true));
        assertThat(flow.negotiated()).isEqualTo(Pause.BOTH);
    }

    @Test
    void agreesOnFlowControl() {
        nic.awaitLink(PATIENCE);
        assertThat(flow.requested()).isEqualTo(Pause.BOTH);
        assertThat(flow.negotiated()).isEqualTo(Pause.BOTH);

        flow.request(Pause.NEITHER);
        assertThat(flow.negotiated()).isEqualTo(Pause.NEITHER);
        nic.awaitLink(PATIENCE);
        assertThat(flow.negotiated()).isEqualTo(Pause.NEITHER);
        int ctrl = nic.registerFile().read(IgbRegisters.CTRL);
        assertThat(IgbRegisters.CTRL_RFCE.isSetIn(ctrl)).isFalse();
        assertThat(IgbRegisters.CTRL_TFCE.isSetIn(ctrl)).isFalse();
    }

    /** By the event alone: the NIC looks for itself, too, and wakes whoever sleeps. */
    @Test
    void interruptsWhenTheLinkChanges() {
        nic.awaitLink(PATIENCE);
        Alarm alarm = nic.ability(QueueInterrupts.class).linkAlarm();
        for (boolean up : new boolean[] {false, true}) {
            EventFd event = Objects.requireNonNull(alarm.event());
            do {
                alarm.arm();
            } while (event.clear()); // for what was before
            machine.setLink(0, up);
            assertThat(BoundedWait.until(event::clear, PATIENCE))
                    .as("up: %s", up)
                    .isTrue();
            assertThat(BoundedWait.until(() -> nic.linkState().up() == up, PATIENCE))
                    .isTrue();
        }
    }

    @Test
    void interruptsAfterAResetWithoutBeingAskedAgain() {
        nic.ability(QueueInterrupts.class).linkAlarm().arm();
        nic.reset();
        assertThat(nic.registerFile().read(IgbRegisters.EIMS) & 1).isEqualTo(1);
    }

    @Test
    void dropsFramesOfAFullQueueWhereThereAreOthersAndTheOtherEndDoesNotWait() {
        nic.close();
        try (IgbNic two = IgbNic.open(
                "igb 0", machine.open(0), IgbModel.I82576, NicConfig.defaults().withQueues(2))) {
            assertThat(drops(two, 1)).isFalse();
            two.ability(FlowControl.class).request(Pause.RECEIVE);
            assertThat(drops(two, 0)).isTrue();
            assertThat(drops(two, 1)).isTrue();
            two.reset();
            assertThat(drops(two, 1)).isTrue();
            two.ability(FlowControl.class).request(Pause.BOTH);
            assertThat(drops(two, 1)).isFalse();
        }
    }

    private static boolean drops(IgbNic nic, int queue) {
        return IgbRegisters.SRRCTL_DROP_EN.isSetIn(nic.registerFile().read(IgbRegisters.SRRCTL, queue));
    }
}
