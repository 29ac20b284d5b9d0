package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.igb.ring.RxFormat;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.Capability;
import io.doorbell.pci.PciId;
import io.doorbell.pci.simulated.MemoryFunction;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class IgbSetupTest {

    private final RecordingBar bar = new RecordingBar();
    private final IgbSetup setup = new IgbSetup(new RegisterFile("test", bar), IgbModel.I82576);

    @Test
    void masksInterruptsBeforeAndAfterTheReset() {
        setup.reset();
        int reset = bar.indexOf(CTRL, CTRL_RST);
        assertThat(bar.indexOf(EIMC)).isLessThan(reset);
        assertThat(bar.indexOf(IMC)).isLessThan(reset);
        assertThat(bar.writes.subList(reset + 1, bar.writes.size()))
                .contains(new RecordingBar.Write("EIMC", -1), new RecordingBar.Write("IMC", -1));
    }

    @Test
    void stopsMasteringBeforeTheReset() {
        setup.reset();
        assertThat(bar.indexOf(CTRL, CTRL_GIO_MASTER_DISABLE)).isLessThan(bar.indexOf(CTRL, CTRL_RST));
    }

    @Test
    void allowsMasteringAgainWhenTheLinkIsSetUp() {
        setup.reset();
        setup.setUpLink();
        int ctrl = bar.read32(CTRL.offset());
        assertThat(CTRL_GIO_MASTER_DISABLE.isSetIn(ctrl)).isFalse();
        assertThat(CTRL_SLU.isSetIn(ctrl)).isTrue();
    }

    @Test
    void restartsAutonegotiationUnderThePhySemaphoreAndGivesItBack() {
        setup.setUpLink();
        int mdic = bar.indexOf(MDIC);
        assertThat(bar.indexOf(SW_FW_SYNC)).isLessThan(mdic);
        assertThat(bar.writes).contains(new RecordingBar.Write("MDIC", (1 << 26) | (1 << 21) | 0x1200));
        assertThat(bar.read32(SW_FW_SYNC.offset())).isZero();
    }

    @Test
    void saysWhoHoldsThePhyWhenItIsNotToBeHad() {
        bar.put(SW_FW_SYNC, 2 << 16);
        assertThatThrownBy(setup::setUpLink)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the PHY semaphore of test")
                .hasMessageContaining("SW_FW_SYNC=0x00020000")
                .hasMessageContaining("firmware");
    }

    @Test
    void tellsTheReceiveQueueWhereItsRingIsBeforeItIsEnabled() {
        setup.setUpReceive(0, 0x1_2345_6000L, 256, 2048);
        setup.enableReceiver();
        int enable = bar.indexOf(RXDCTL, RXDCTL_ENABLE);
        assertThat(bar.indexOf(RDBAL)).isLessThan(enable);
        assertThat(bar.indexOf(RDLEN)).isLessThan(enable);
        assertThat(bar.indexOf(SRRCTL)).isLessThan(enable);
        assertThat(enable).isLessThan(bar.indexOf(RCTL, RCTL_RXEN));
        assertThat(bar.read32(RDBAL.at(0))).isEqualTo(0x2345_6000);
        assertThat(bar.read32(RDBAH.at(0))).isEqualTo(1);
        assertThat(bar.read32(RDLEN.at(0))).isEqualTo(4096);
        assertThat(bar.read32(SRRCTL.at(0))).as("advanced, one buffer of 2 KB").isEqualTo(1 << 25 | 2);
    }

    @Test
    void neverMovesATailBeforeTheReceiverIsOn() {
        setup.setUpReceive(0, 0x10_0000, 256, 2048);
        setup.enableReceiver();
        assertThat(bar.writes).extracting(RecordingBar.Write::register).doesNotContain("RDT[0]");
    }

    @Test
    void disablesAQueueBeforeItIsToldOfItsRing() {
        bar.put(TXDCTL, TXDCTL_ENABLE.mask());
        bar.put(RXDCTL, RXDCTL_ENABLE.mask());
        setup.setUpTransmit(0, 0x10_0000, 64);
        setup.setUpReceive(0, 0x10_0000, 64, 2048);
        assertThat(bar.writes.getFirst()).isEqualTo(new RecordingBar.Write("TXDCTL[0]", 0));
        assertThat(bar.writes.indexOf(new RecordingBar.Write("RXDCTL[0]", 0))).isLessThan(bar.indexOf(RDBAL));
    }

    @Test
    void looksIntoNoExtensionHeadersOfIpv6() {
        setup.setUpReceivers(RxFormat.of(NicConfig.defaults(), 2112, false));
        assertThat(RFCTL_IPV6_EX_DIS.isSetIn(bar.peek(RFCTL))).isTrue();
    }

    /** As igb_set_pcie_completion_timeout of Linux. */
    @Test
    void givesUpInTimeOnAnAnswerFromMemoryAndDoesNotAskAgain() {
        try (MemoryFunction function = new MemoryFunction(new PciId(0x8086, 0x10c9))) {
            Optional<Capability> express = Optional.of(new Capability(0x10, false, 0, 0xa0));
            bar.put(GCR, GCR_CMPL_TMOUT_RESEND.mask());
            setup.setUpBus(function.config(), express);
            assertThat(bar.peek(GCR)).as("10 ms, by the device's own register").isEqualTo(0x1000);
            assertThat(function.config().read16(0xc8)).isZero();

            bar.put(GCR, GCR_CMPL_TMOUT_RESEND.mask() | GCR_CAP_VER2.mask());
            setup.setUpBus(function.config(), Optional.empty());
            assertThat(bar.peek(GCR)).isEqualTo(GCR_CAP_VER2.mask());
            setup.setUpBus(function.config(), express);
            assertThat(function.config().read16(0xc8))
                    .as("16 ms, by Device Control 2")
                    .isEqualTo(5);

            function.config().write16(0xc8, 0);
            bar.put(GCR, 0x3000);
            setup.setUpBus(function.config(), express);
            assertThat(bar.peek(GCR)).as("somebody has chosen").isEqualTo(0x3000);
            bar.put(GCR, GCR_CMPL_TMOUT_RESEND.mask());
            new IgbSetup(new RegisterFile("test", bar), IgbModel.I350).setUpBus(function.config(), express);
            assertThat(bar.peek(GCR)).as("others start with one that will do").isZero();
        }
    }

    @Test
    void waitsForFramesInTheTransmitFifoBeforeItStops() {
        bar.put(STATUS, STATUS_LU.mask());
        bar.put(TDFPC, 3);
        long start = System.nanoTime();
        setup.shutDown(1);
        assertThat(System.nanoTime() - start).as("one that never empties").isGreaterThan(40_000_000);
        assertThat(TCTL_EN.isSetIn(bar.peek(TCTL))).isFalse();
    }

    @Test
    void turnsTheTransmitterOnLast() {
        setup.setUpTransmit(0, 0x10_0000, 64);
        setup.enableTransmitter();
        assertThat(bar.writes.getLast().register()).isEqualTo("TCTL");
        assertThat(bar.indexOf(TDLEN)).isLessThan(bar.indexOf(TXDCTL, TXDCTL_ENABLE));
    }

    @Test
    void readsTheStationAddressInTheOrderOfTheWire() {
        assertThat(setup.macAddress()).isEqualTo(MacAddress.parse("52:54:00:12:34:56"));
    }

    @Test
    void refusesAStationAddressThatIsNone() {
        bar.put(RAL, 0);
        bar.put(RAH, 0x8000_0000);
        assertThatThrownBy(setup::macAddress)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("00:00:00:00:00:00")
                .hasMessageContaining("NVM");
    }

    @Test
    void waitsForTheStationAddressToBeReadFromTheNvm() {
        bar.put(EEC, 1 << 8);
        int address = bar.peek(RAH);
        bar.put(RAH, 0);
        bar.loadAddressAfter(5, address);
        assertThat(setup.macAddress()).isEqualTo(MacAddress.parse("52:54:00:12:34:56"));
    }

    @Test
    void saysThatTheNvmHasNotBeenReadRatherThanThatItIsDamaged() {
        bar.put(EEC, 1 << 8);
        bar.put(RAH, 0);
        assertThatThrownBy(setup::macAddress)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("test has no station address")
                .hasMessageContaining("has not read its NVM")
                .hasMessageContaining("EEC=0x00000100")
                .hasMessageContaining("AUTO_RD is clear");
        bar.put(EEC, 0);
        assertThatThrownBy(setup::macAddress)
                .hasMessageContaining("it has no NVM")
                .hasMessageContaining("EE_PRES");
    }

    @Test
    void saysWhatThePhyDidNotAnswer() {
        bar.phyAnswers = false;
        assertThatThrownBy(setup::setUpLink)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the PHY of test to read register 18")
                .hasMessageContaining("MDIC=0x08320000");
        assertThatThrownBy(() -> setup.link().describe())
                .hasMessageContaining("the PHY of test to read register 1")
                .hasMessageContaining("MDIC=0x08210000");
        assertThat(bar.peek(SW_FW_SYNC)).as("the semaphore is given back").isZero();
    }

    @Test
    void refusesPortsThatAreNotCopper() {
        bar.put(CTRL_EXT, 3 << 22);
        assertThatThrownBy(setup::configure)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("link mode 3")
                .hasMessageContaining("copper");
    }

    @Test
    void noticesThatTheDeviceIsGone() {
        bar.put(STATUS, -1);
        assertThatThrownBy(setup::linkState)
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("test does not answer")
                .hasMessageContaining("unplugged");
        assertThatThrownBy(setup::configure).isInstanceOf(BrokenDeviceException.class);
        assertThatThrownBy(() -> setup.shutDown(1)).isInstanceOf(BrokenDeviceException.class);
        assertThatThrownBy(setup::takeOver).isInstanceOf(BrokenDeviceException.class);
        assertThatThrownBy(setup::reset).isInstanceOf(BrokenDeviceException.class);
    }
}
