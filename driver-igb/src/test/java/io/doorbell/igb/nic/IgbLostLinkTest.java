package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.CounterReport;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.pci.ConfigSpace;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** QEMU's device, which is made to keep frames while there is no link, as silicon does. */
@Tag("qtest")
class IgbLostLinkTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().start();
    private final Slot slot = new Slot(machine.open(0));
    private final IgbNic nic = IgbNic.open("igb 0", slot, IgbModel.I82576, NicConfig.defaults());
    private final FramePool pool = nic.rxQueue(0).pool();

    @AfterEach
    void stopMachine() {
        nic.close();
        machine.close();
    }

    private int send(int frames) {
        FrameBatch batch = new FrameBatch(64);
        pool.allocate(batch, frames);
        for (int i = 0; i < frames; i++) {
            batch.frame(i).length(60);
        }
        int sent = nic.txQueue(0).send(batch);
        batch.release();
        return sent;
    }

    @Test
    void dropsWhatWaitsBehindALostLinkAndSendsAgainOnceItIsBack() {
        nic.awaitLink(PATIENCE);
        int free = pool.available();
        nic.watchLink();
        slot.linkLost = true;
        assertThat(send(5)).isEqualTo(5);
        nic.watchLink();
        assertThat(nic.txQueue(0).reclaim()).as("it may come back at once").isEqualTo(5);
        nic.watchLink();
        assertThat(nic.txQueue(0).reclaim()).isZero();
        assertThat(pool.available()).isEqualTo(free);
        assertThat(nic.statistics().txErrors()).isEqualTo(5);

        slot.linkLost = false;
        nic.watchLink();
        assertThat(send(3)).isEqualTo(3);
        assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                .isTrue();
        for (int i = 0; i < 3; i++) {
            assertThat(machine.peer(0).receive(PATIENCE)).hasSize(60);
        }
        assertThat(nic.statistics().txFrames()).isEqualTo(3);
        assertThat(nic.statistics().txErrors()).isEqualTo(5);
    }

    @Test
    void leavesFramesAloneThatMerelyWaitForTheirTurn() {
        nic.awaitLink(PATIENCE);
        nic.watchLink();
        nic.watchLink();
        assertThat(send(5)).isEqualTo(5);
        nic.watchLink();
        assertThat(BoundedWait.until(() -> nic.txQueue(0).reclaim() == 0, PATIENCE))
                .isTrue();
        assertThat(nic.statistics().txErrors()).isZero();
    }

    @Test
    void keepsWhatIsSentRightAfterAStartAndBeforeThereIsALink() {
        nic.awaitLink(PATIENCE);
        slot.linkLost = true;
        nic.watchLink();
        nic.stop();
        nic.start();
        assertThat(send(5)).isEqualTo(5);
        for (int i = 0; i < 5; i++) {
            nic.watchLink();
        }
        assertThat(nic.txQueue(0).reclaim()).isEqualTo(5);
        assertThat(nic.statistics().txErrors()).isZero();
    }

    @Test
    void setsAllUpAnewWhereTheQueueCannotBeLetGoOf() {
        nic.awaitLink(PATIENCE);
        nic.watchLink();
        slot.linkLost = true;
        assertThat(send(5)).isEqualTo(5);
        nic.watchLink();
        slot.neverDisables = true;
        nic.watchLink();
        slot.neverDisables = false;
        assertThat(nic.txQueue(0).reclaim()).isZero();
        assertThat(nic.statistics().txErrors()).isEqualTo(5);
        assertThat(nic.ability(CounterReport.class).losses())
                .singleElement()
                .satisfies(loss -> assertThat(loss.cause()).contains("behind a link that was lost"))
                .satisfies(loss -> assertThat(loss.frames()).isEqualTo(5));

        slot.linkLost = false;
        nic.awaitLink(PATIENCE);
        assertThat(send(1)).isEqualTo(1);
        assertThat(machine.peer(0).receive(PATIENCE)).hasSize(60);
    }

    @Test
    void saysOfAQueueThatCannotBeResetWhatHelps() {
        nic.awaitLink(PATIENCE);
        slot.neverDisables = true;
        assertThatThrownBy(() -> nic.resetTxQueue(0)).hasMessageContaining("TXDCTL[0].ENABLE to clear");
        slot.neverDisables = false;
        assertThatThrownBy(() -> send(1))
                .hasMessageContaining("TXDCTL[0].ENABLE to clear")
                .hasMessageContaining("use Nic.reset");
        nic.reset();
        assertThat(send(1)).isEqualTo(1);
    }

    @Test
    void stopsAlsoWhenThePhyIsBusy() {
        nic.awaitLink(PATIENCE);
        slot.linkLost = true;
        nic.linkState();
        slot.linkLost = false;
        slot.deafPhy = true;
        nic.stop();
        assertThat(slot.config().read16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        slot.deafPhy = false;
    }
}
