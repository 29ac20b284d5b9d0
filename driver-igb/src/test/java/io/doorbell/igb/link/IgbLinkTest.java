package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.ability.Crossover;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.frame.ability.Pause;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the MAC and the PHY of each model are told; which QEMU models one of, and asks little of. */
class IgbLinkTest {

    private static final int UP = 1 << 1 | 1;
    private static final int GIGABIT = 2 << 6;
    private static final int COMPLETE = 1 << 5;

    private final RecordingBar bar = new RecordingBar();

    private IgbLink link(IgbModel model) {
        return new IgbLink(new RegisterFile("test", bar), model);
    }

    @ParameterizedTest
    @EnumSource
    void offersAllModesWhateverThePhyOfferedBefore(IgbModel model) {
        bar.phy[4] = 0x0001;
        bar.phy[9] = 0x0100; // which nobody else can do: 1000 Mb/s at half duplex
        link(model).setUp();
        assertThat(bar.phy[4]).isEqualTo(0x0de1);
        assertThat(bar.phy[9]).isEqualTo(0x0200);
        assertThat(bar.phy[0]).isEqualTo(0x1000);
        assertThat(CTRL_FRCSPD.isSetIn(bar.peek(CTRL))).isFalse();
        assertThat(CTRL_SLU.isSetIn(bar.peek(CTRL))).isTrue();
        assertThat(bar.peek(SW_FW_SYNC)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "TEN_HALF, 0x20, 0",
        "TEN_FULL, 0x40, 0",
        "HUNDRED_HALF, 0x80, 0",
        "HUNDRED_FULL, 0x100, 0",
        "GIGABIT_FULL, 0, 0x200"
    })
    void offersWhatItIsToldTo(LinkMode mode, String low, String gigabit) {
        bar.phy[4] = 0x01e1;
        bar.phy[9] = 0x0300;
        IgbLink link = link(IgbModel.I82576);
        link.settings(LinkSettings.offering(mode));
        link.setUp();
        assertThat(bar.phy[4] & 0x3ff).isEqualTo(Integer.decode(low) | 1);
        assertThat(bar.phy[9]).isEqualTo(Integer.decode(gigabit));
    }

    @ParameterizedTest
    @CsvSource({
        "TEN_HALF, 0x0000, 0, false",
        "TEN_FULL, 0x0100, 0, true",
        "HUNDRED_HALF, 0x2000, 1, false",
        "HUNDRED_FULL, 0x2100, 1, true"
    })
    void forcesAModeInThePhyAndInTheMac(LinkMode mode, String bmcr, int speed, boolean full) {
        IgbLink link = link(IgbModel.I82580);
        link.settings(LinkSettings.forced(mode));
        link.setUp();
        assertThat(bar.phy[0]).isEqualTo(Integer.decode(bmcr));
        int ctrl = bar.peek(CTRL);
        assertThat(CTRL_FRCSPD.isSetIn(ctrl) && CTRL_FRCDPLX.isSetIn(ctrl)).isTrue();
        assertThat(CTRL_SPEED.in(ctrl)).isEqualTo(speed);
        assertThat(CTRL_FD.isSetIn(ctrl)).isEqualTo(full);

        link.settings(LinkSettings.automatic());
        link.setUp();
        assertThat(CTRL_FRCSPD.isSetIn(bar.peek(CTRL))).isFalse();
        assertThat(CTRL_FRCDPLX.isSetIn(bar.peek(CTRL))).isFalse();
    }

    /** As e1000_phy.c of Linux has them. */
    @ParameterizedTest
    @CsvSource({
        "I82576, AUTO, 18, 0x3000, 0x1000", "I82576, MDI, 18, 0x3000, 0", "I82576, MDIX, 18, 0x3000, 0x2000",
        "I82580, AUTO, 18, 0x0600, 0x0400", "I350, MDI, 18, 0x0600, 0", "I82580, MDIX, 18, 0x0600, 0x0200",
        "I210, AUTO, 16, 0x0060, 0x0060", "I211, MDI, 16, 0x0060, 0", "I354, MDIX, 16, 0x0060, 0x0020"
    })
    void crossesPairsOrNot(IgbModel model, Crossover crossover, int register, String mask, String value) {
        bar.phy[register] = 0xffff;
        IgbLink link = link(model);
        link.settings(LinkSettings.automatic().with(crossover));
        link.setUp();
        assertThat(bar.phy[register] & Integer.decode(mask)).isEqualTo(Integer.decode(value));
    }

    @Test
    void preparesEachPhy() {
        bar.phy[25] = 0x0003;
        bar.put(PHPM, 0x0027);
        link(IgbModel.I82576).setUp();
        assertThat(bar.phy[25]).as("no low speed to save power").isEqualTo(0x0001);
        assertThat(bar.peek(PHPM)).as("the 82576 has no such register").isEqualTo(0x0027);

        link(IgbModel.I82580).setUp();
        assertThat(bar.phy[22]).as("carrier sense on transmit, downshift").isEqualTo(0x8c00);
        assertThat(bar.peek(PHPM)).as("neither GO_LINKD nor D0LPLU").isEqualTo(0x0005);

        bar.writes.clear();
        link(IgbModel.I210).setUp();
        assertThat(bar.phy[16] & 0x7802).as("downshift after 6 attempts").isEqualTo(0x5800);
        assertThat(bar.writes.stream()
                        .filter(write ->
                                write.register().equals("MDIC") && (write.value() & 0x0c1f_8000) == 0x0400_8000))
                .as("the reset that applies it")
                .hasSize(1);
    }

    @Test
    void leavesTheLinkAloneThatAManagementControllerUses() {
        bar.put(MANC, MANC_BLK_PHY_RST_ON_IDE.mask());
        IgbLink link = link(IgbModel.I82576);
        link.setUp();
        assertThat(bar.writes).noneMatch(write -> write.register().equals("MDIC"));
        assertThat(CTRL_SLU.isSetIn(bar.peek(CTRL))).isTrue();
        assertThatThrownBy(link::requireOurs)
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("the link of test is not to be changed now")
                .hasMessageContaining("MANC=0x00040000");
    }

    /** IEEE 802.3, table 28B-3; what is wanted, what the other end offers, what it comes to. */
    @ParameterizedTest
    @CsvSource({
        "BOTH, 0x400, BOTH", "BOTH, 0xc00, BOTH", "BOTH, 0x800, RECEIVE", "BOTH, 0, NEITHER",
        "RECEIVE, 0x400, RECEIVE", "RECEIVE, 0x800, RECEIVE", "SEND, 0xc00, SEND", "SEND, 0x800, NEITHER",
        "SEND, 0x400, NEITHER", "NEITHER, 0xc00, NEITHER"
    })
    void settlesFlowControlWhenTheLinkIsUp(Pause wanted, String partner, Pause settled) {
        bar.phy[1] = COMPLETE;
        bar.phy[5] = Integer.decode(partner);
        bar.put(RXPBS, 64);
        IgbLink link = link(IgbModel.I82576);
        link.wantedPause(wanted);
        link.setUp();
        assertThat(bar.peek(FCT)).isEqualTo(0x8808);
        assertThat(bar.peek(FCAL)).isEqualTo(0x00c28001);
        assertThat(bar.peek(FCAH)).isEqualTo(0x0100);
        assertThat(link.pause()).isEqualTo(Pause.NEITHER);

        bar.put(STATUS, UP | GIGABIT);
        assertThat(link.state()).isEqualTo(new LinkState(true, 1000, true));
        assertThat(link.pause()).isEqualTo(settled);
        assertThat(CTRL_RFCE.isSetIn(bar.peek(CTRL))).isEqualTo(settled.receives());
        assertThat(CTRL_TFCE.isSetIn(bar.peek(CTRL))).isEqualTo(settled.sends());
        assertThat(bar.peek(FCRTH)).isEqualTo(settled.sends() ? 46080 : 0);
        assertThat(bar.peek(FCRTL)).isEqualTo(settled.sends() ? FCRTL_XONE.mask() | 46064 : 0);

        bar.put(STATUS, 1 << 1 | GIGABIT); // half duplex
        link.state();
        assertThat(link.pause()).isEqualTo(Pause.NEITHER);
        assertThat(CTRL_RFCE.isSetIn(bar.peek(CTRL))).isFalse();
    }

    @Test
    void knowsWhatTheOtherEndOffers() {
        bar.phy[1] = COMPLETE;
        bar.phy[5] = 0x0141;
        bar.phy[10] = 0x0800;
        IgbLink link = link(IgbModel.I350);
        link.setUp();
        assertThat(link.partner()).as("without a link").isEmpty();
        bar.put(STATUS, UP);
        assertThat(link.partner())
                .containsExactlyInAnyOrder(LinkMode.TEN_FULL, LinkMode.HUNDRED_FULL, LinkMode.GIGABIT_FULL);
        bar.phy[1] = 0;
        assertThat(link.partner()).as("of one that does not negotiate").isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"I82576, 64, 65536", "I82580, 1, 73728", "I350, 10, 143360", "I210, 34, 34816", "I211, 34, 34816"})
    void knowsHowLargeThePacketBufferIs(IgbModel model, int rxpbs, int bytes) {
        assertThat(model.packetBuffer(rxpbs)).isEqualTo(bytes);
    }

    @Test
    void refusesSettingsThatNoLinkCanHave() {
        assertThatThrownBy(LinkSettings::offering).hasMessageContaining("at least one mode");
        assertThatThrownBy(() -> LinkSettings.forced(LinkMode.GIGABIT_FULL))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("1000 Mb/s full duplex")
                .hasMessageContaining("LinkSettings.offering");
    }

    @Test
    void settlesFlowControlLaterWhereThePhyIsBusy() {
        bar.phy[1] = COMPLETE;
        bar.phy[5] = 0x400;
        bar.put(RXPBS, 64);
        IgbLink link = link(IgbModel.I82576);
        link.setUp();
        bar.put(STATUS, UP | GIGABIT);
        bar.phyAnswers = false;
        assertThat(link.state().up()).isTrue();
        assertThat(link.pause()).isEqualTo(Pause.NEITHER);
        bar.phyAnswers = true;
        link.state();
        assertThat(link.pause()).isEqualTo(Pause.BOTH);
    }

    /** As igb_phy_force_speed_duplex_m88 of Linux: such a PHY takes a mode over by its reset. */
    @ParameterizedTest
    @CsvSource({"I210, true", "I82580, false"})
    void resetsThePhyWhereThatAppliesAForcedMode(IgbModel model, boolean resets) {
        IgbLink link = link(model);
        link.settings(LinkSettings.forced(LinkMode.HUNDRED_FULL));
        link.setUp();
        int last = bar.writes.stream()
                .filter(write -> write.register().equals("MDIC")
                        && MDIC_OP.in(write.value()) == 1
                        && MDIC_REGADD.in(write.value()) == 0)
                .toList()
                .getLast()
                .value();
        assertThat(MDIC_DATA.in(last)).isEqualTo(resets ? 0xa100 : 0x2100);
    }

    @ParameterizedTest
    @CsvSource({"I82576, 18, 0x3000, 0", "I82580, 18, 0x0600, 0", "I210, 16, 0x0060, 0x0060"})
    void doesNotLookForThePairsOfALinkThatDoesNotNegotiate(IgbModel model, int register, String mask, String value) {
        bar.phy[register] = 0xffff;
        IgbLink link = link(model);
        link.settings(LinkSettings.forced(LinkMode.TEN_FULL));
        link.setUp();
        assertThat(bar.phy[register] & Integer.decode(mask)).isEqualTo(Integer.decode(value));
    }

    /** As igb_set_eee_i350 of Linux. */
    @ParameterizedTest
    @EnumSource
    void restsBetweenFramesOnlyIfItIsToldTo(IgbModel model) {
        boolean can = !model.equals(IgbModel.I82576) && !model.equals(IgbModel.I82580);
        assertThat(model.isEnergyEfficient()).isEqualTo(can);
        bar.put(IPCNFG, 0x000c);
        bar.put(EEER, 0x0007_0000);
        IgbLink link = link(model);
        link.setUp();
        assertThat(bar.peek(IPCNFG)).as("whatever was there before").isEqualTo(can ? 0 : 0x000c);
        assertThat(bar.peek(EEER)).isEqualTo(can ? 0 : 0x0007_0000);

        link.wantRest(true);
        link.setUp();
        assertThat(bar.peek(IPCNFG)).isEqualTo(0x000c);
        assertThat(bar.peek(EEER)).isEqualTo(0x0007_0000);
        assertThat(link.isRestful()).isFalse();
        bar.put(EEER, 0x2007_0000);
        assertThat(link.isRestful()).isEqualTo(can);
    }
}
