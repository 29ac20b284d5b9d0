package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicRemovedException;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** QEMU's device, pulled out while it runs: registers read as all ones then, as those of hardware do. */
@Tag("qtest")
class IgbGoneTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String GONE = "igb 0 does not answer: STATUS reads 0xffffffff";

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().start();
    private final Slot slot = new Slot(machine.open(0));

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private static void receiveOne(QtestMachine machine, Nic nic) {
        byte[] frame = new byte[100];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        machine.peer(0).send(frame);
        FrameBatch batch = new FrameBatch(1);
        assertThat(BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, PATIENCE))
                .isTrue();
        batch.release();
    }

    @Test
    void keepsItsStatisticsAndLetsGoOfAllWhenItIsPulled() {
        Nic nic = IgbNic.open("igb 0", slot, IgbModel.I82576, NicConfig.defaults());
        nic.awaitLink(PATIENCE);
        receiveOne(machine, nic);
        NicStatistics before = nic.statistics();
        assertThat(before.rxFrames()).isEqualTo(1);

        slot.pulled = true;
        assertThatThrownBy(nic::statistics)
                .isInstanceOf(NicRemovedException.class)
                .hasMessageContaining(GONE);
        assertThatThrownBy(nic::linkState).hasMessageContaining(GONE);
        assertThatThrownBy(() -> nic.ability(RegisterDump.class).registers()).hasMessageContaining(GONE);
        assertThatThrownBy(() -> nic.promiscuous(true)).hasMessageContaining(GONE);

        nic.stop();
        assertThat(nic.statistics()).isEqualTo(before);
        FramePool pool = nic.rxQueue(0).pool();
        assertThat(pool.available()).isEqualTo(pool.buffers());
        assertThatThrownBy(nic::start).isInstanceOf(NicRemovedException.class).hasMessageContaining(GONE);
        assertThatThrownBy(nic::reset).hasMessageContaining(GONE);
        nic.close();
    }

    @Test
    void worksAgainOnceTheDeviceAnswers() {
        Nic nic = IgbNic.open("igb 0", slot, IgbModel.I82576, NicConfig.defaults());
        slot.pulled = true;
        assertThatThrownBy(nic::reset).hasMessageContaining(GONE);
        slot.pulled = false;
        nic.reset();
        nic.awaitLink(PATIENCE);
        receiveOne(machine, nic);
        slot.pulled = true;
        nic.close();
    }

    @Test
    void closesItselfWhenTheSystemSaysThatItGoes() {
        FramePool pool = FramePool.in(machine.allocate(FramePool.bytesFor(3000, 2112)), 3000, 2112);
        IgbNic nic =
                IgbNic.open("igb 0", slot, IgbModel.I82576, NicConfig.defaults().withPool(pool));
        nic.awaitLink(PATIENCE);
        receiveOne(machine, nic);
        try (QueueWaiter waiter = new QueueWaiter().add(nic, 0).addLink(nic)) {
            while (waiter.await(Duration.ZERO)) {
                // what there was to tell
            }
            CompletableFuture<Boolean> sleeper = CompletableFuture.supplyAsync(() -> waiter.await(PATIENCE));
            slot.listener.accept("somebody pulled it");
            assertThat(sleeper.join()).isTrue();
            saysThatItWasRemoved(() -> nic.rxQueue(0).receive(new FrameBatch(1)));
            saysThatItWasRemoved(() -> nic.txQueue(0).send(new FrameBatch(1)));
            assertThat(waiter.await(PATIENCE))
                    .as("nobody sleeps on it any more")
                    .isTrue();
        }
        assertThat(slot.closed).isTrue();
        assertThat(pool.available()).isEqualTo(pool.buffers());
        saysThatItWasRemoved(nic::linkState);
        saysThatItWasRemoved(nic::statistics);
        saysThatItWasRemoved(nic::start);
        saysThatItWasRemoved(() -> nic.ability(RegisterDump.class).registers());
        nic.close();
        saysThatItWasRemoved(nic::reset);
        slot.listener.accept("again");
    }

    @Test
    void givesBuffersBackWhenItDoesNotOpenInTheEnd() {
        FramePool pool = FramePool.in(machine.allocate(FramePool.bytesFor(3000, 2112)), 3000, 2112);
        slot.refusesListener = true;
        NicConfig config = NicConfig.defaults().withPool(pool);
        assertThatThrownBy(() -> IgbNic.open("igb 0", slot, IgbModel.I82576, config))
                .hasMessageContaining("EINVAL");
        assertThat(pool.available()).isEqualTo(pool.buffers());
        assertThat(slot.closed).isTrue();
    }

    private static void saysThatItWasRemoved(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(NicRemovedException.class)
                .hasMessageContaining("was removed: somebody pulled it. It is closed: open it again");
    }
}
