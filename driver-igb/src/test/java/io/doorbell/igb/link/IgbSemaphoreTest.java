package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.SWSM;
import static io.doorbell.igb.spec.IgbRegisters.SWSM_SMBI;
import static io.doorbell.igb.spec.IgbRegisters.SWSM_SWESMBI;
import static io.doorbell.igb.spec.IgbRegisters.SW_FW_SYNC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import io.doorbell.qemu.qtest.QtestMachine;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Most wait for what does not come, so they wait together. */
@Execution(ExecutionMode.CONCURRENT)
class IgbSemaphoreTest {

    private static final int BOTH = SWSM_SMBI.mask() | SWSM_SWESMBI.mask();
    /** Of port 0. */
    private static final int PHY = 1 << 1;

    private static final int FIRMWARE = PHY << 16;

    private final RecordingBar bar = new RecordingBar();
    private final IgbSemaphore semaphore = new IgbSemaphore(new RegisterFile("test", bar));
    private int runs;

    @Test
    void holdsThePhyForAsLongAsItIsUsed() {
        semaphore.withPhy(() -> {
            assertThat(bar.peek(SW_FW_SYNC)).isEqualTo(PHY);
            assertThat(bar.peek(SWSM) & BOTH).isZero();
            runs++;
        });
        assertThat(runs).isEqualTo(1);
        assertThat(bar.peek(SW_FW_SYNC)).isZero();
        assertThat(bar.peek(SWSM) & BOTH).isZero();
    }

    @Test
    void givesTheFirstSemaphoreBackWhenTheFirmwareKeepsTheSecond() {
        bar.firmwareHoldsSemaphore = true;
        assertThatThrownBy(() -> semaphore.withPhy(() -> runs++))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("SWSM.SWESMBI of test")
                .hasMessageContaining("firmware");
        assertThat(bar.peek(SWSM) & BOTH).isZero();
        assertThat(runs).isZero();
    }

    @Test
    void saysWhyItWasNotGivenBackBesideWhatFailed() {
        assertThatThrownBy(() -> semaphore.withPhy(() -> {
                    bar.firmwareHoldsSemaphore = true;
                    throw new IllegalStateException("of the PHY");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("of the PHY")
                .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessageContaining("SWESMBI"));
    }

    @Test
    void takesItFromADriverThatWasKilledWithIt() {
        bar.put(SWSM, BOTH);
        bar.put(SW_FW_SYNC, PHY);
        semaphore.takeOver();
        assertThat(bar.peek(SWSM) & BOTH).isZero();
        assertThat(bar.peek(SW_FW_SYNC)).isZero();
        semaphore.withPhy(() -> runs++);
        assertThat(runs).isEqualTo(1);
    }

    @Test
    void leavesTheFirmwareAndOtherPortsWhatTheyHold() {
        int others = FIRMWARE | 1 << 2;
        bar.put(SW_FW_SYNC, others | PHY);
        semaphore.takeOver();
        assertThat(bar.peek(SW_FW_SYNC)).isEqualTo(others);
        assertThatThrownBy(() -> semaphore.withPhy(() -> runs++)).hasMessageContaining("firmware");
    }

    /** QEMU's registers behave as the data sheet says. */
    @Test
    @Tag("qtest")
    void takesItOnQemusDeviceToo() {
        try (QtestMachine machine = QtestMachine.builder().nic("igb").start();
                PciFunction function = machine.open(0)) {
            RegisterFile registers = new RegisterFile("qemu", function.bar(0));
            IgbSemaphore onQemu = new IgbSemaphore(registers);
            onQemu.withPhy(() -> runs++);
            registers.write(SWSM, BOTH);
            registers.write(SW_FW_SYNC, PHY);
            assertThatThrownBy(() -> onQemu.withPhy(() -> runs++))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("SWSM.SMBI of qemu");
            onQemu.takeOver();
            onQemu.withPhy(() -> runs++);
            assertThat(runs).isEqualTo(2);
            assertThat(registers.read(SW_FW_SYNC)).isZero();
        }
    }
}
