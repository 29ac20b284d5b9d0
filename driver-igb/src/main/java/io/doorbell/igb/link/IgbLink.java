package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.frame.ability.Pause;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import java.lang.System.Logger.Level;
import java.util.Set;

/**
 * The link of a copper port: what the MAC and the PHY are told of it (82576 data sheet, 3.5 and 4.5.7), and what has become of
 * it. Flow control is settled when the link has come up, since the other end has a say in it.
 */
public final class IgbLink {

    /** CTRL.SPEED. */
    private static final int SPEED_10 = 0;

    private static final int SPEED_100 = 1;

    /** Of a PAUSE frame: its address, 01:80:C2:00:00:01, and its type. */
    private static final int PAUSE_ADDRESS_LOW = 0x00c2_8001;

    private static final int PAUSE_ADDRESS_HIGH = 0x0100;
    private static final int PAUSE_TYPE = 0x8808;
    /** How long the other end is to wait, in times of 512 bits, unless it is told to go on before. */
    private static final int PAUSE_TIME = 0xffff;

    private static final System.Logger LOG = System.getLogger(IgbLink.class.getName());

    /** With all tags and the check sequence. */
    private static final int LONGEST_FRAME = 9728;

    private final RegisterFile registers;
    private final IgbModel model;
    private final IgbPhy phy;
    private LinkSettings settings = LinkSettings.automatic();
    private Pause wantedPause = Pause.BOTH;
    private boolean rests;
    private Pause pause = Pause.NEITHER;
    /** What was seen last, for which flow control is settled. */
    private LinkState last = LinkState.DOWN;

    public IgbLink(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
        this.phy = new IgbPhy(registers, model.phy());
    }

    /** Before the first reset: frees what a driver that was killed left taken, which no reset does. */
    public void takeOver() {
        phy.takeOver();
    }

    public LinkSettings settings() {
        return settings;
    }

    /** For the next {@link #setUp}. */
    public void settings(LinkSettings wanted) {
        settings = wanted;
    }

    public Pause wantedPause() {
        return wantedPause;
    }

    /** For the next {@link #setUp}. */
    public void wantedPause(Pause wanted) {
        wantedPause = wanted;
    }

    public boolean wantsRest() {
        return rests;
    }

    /** For the next {@link #setUp}. */
    public void wantRest(boolean wanted) {
        rests = wanted;
    }

    /** Whether both ends have agreed that the link rests between frames. */
    public boolean isRestful() {
        return model.isEnergyEfficient() && EEER_EEE_NEG.isSetIn(registers.read(EEER));
    }

    /** What both ends have agreed on. */
    public Pause pause() {
        return pause;
    }

    /** Has the link come up (4.5.7); it does some time later. */
    public void setUp() {
        last = LinkState.DOWN;
        pause = Pause.NEITHER;
        int others = CTRL_FRCSPD.mask()
                | CTRL_FRCDPLX.mask()
                | CTRL_SPEED.mask()
                | CTRL_FD.mask()
                | CTRL_RFCE.mask()
                | CTRL_TFCE.mask()
                | CTRL_GIO_MASTER_DISABLE.mask();
        registers.write(CTRL, (registers.read(CTRL) & ~others) | forced() | CTRL_SLU.mask());
        setUpFlowControl();
        if (isKept()) {
            return; // the link is there, and is the management controller's to set up
        }
        if (model.hasPhyPowerManagement()) {
            registers.clear(PHPM, PHPM_GO_LINKD);
            registers.clear(PHPM, PHPM_D0_LPLU);
        }
        if (model.isEnergyEfficient()) {
            setUpRest();
        }
        phy.setUp(settings, wantedPause);
    }

    /** As igb_set_eee_i350 of Linux. */
    private void setUpRest() {
        registers.put(IPCNFG, IPCNFG_EEE_1G_AN, rests);
        registers.put(IPCNFG, IPCNFG_EEE_100M_AN, rests);
        registers.put(EEER, EEER_TX_LPI_EN, rests);
        registers.put(EEER, EEER_RX_LPI_EN, rests);
        registers.put(EEER, EEER_LPI_FC, rests);
    }

    /** Whether a management controller is in a session over this port, for which the PHY must not be disturbed. */
    private boolean isKept() {
        return MANC_BLK_PHY_RST_ON_IDE.isSetIn(registers.read(MANC));
    }

    /**
     * Before settings are changed.
     *
     * @throws DoorbellException when that is not for us to do
     */
    public void requireOurs() {
        registers.status();
        if (isKept()) {
            throw new DoorbellException(String.format(
                    "the link of %s is not to be changed now: a management controller uses it (MANC=0x%08x,"
                            + " BLK_PHY_RST_ON_IDE is set); end its session first",
                    registers.nic(), registers.read(MANC)));
        }
    }

    private int forced() {
        if (settings.autonegotiates()) {
            return 0;
        }
        LinkMode mode = settings.modes().iterator().next();
        return CTRL_FRCSPD.mask()
                | CTRL_FRCDPLX.mask()
                | CTRL_SPEED.of(mode.megabitsPerSecond() == 100 ? SPEED_100 : SPEED_10)
                | (mode.fullDuplex() ? CTRL_FD.mask() : 0);
    }

    private void setUpFlowControl() {
        registers.write(FCAL, PAUSE_ADDRESS_LOW);
        registers.write(FCAH, PAUSE_ADDRESS_HIGH);
        registers.write(FCT, PAUSE_TYPE);
        registers.write(FCTTV, PAUSE_TIME);
        registers.write(FCRTL, 0);
        registers.write(FCRTH, 0);
    }

    /** What the MAC says; settles flow control when that is news, or with a later look where the PHY does not answer. */
    public LinkState state() {
        LinkState now = LinkStatus.of(registers.status());
        if (!now.equals(last)) {
            try {
                settlePause(now);
                last = now;
            } catch (BrokenDeviceException gone) {
                throw gone;
            } catch (DoorbellException e) {
                LOG.log(Level.DEBUG, registers.nic() + ": flow control is not settled yet", e);
            }
        }
        return now;
    }

    private void settlePause(LinkState now) {
        pause = now.up() && now.fullDuplex() ? phy.negotiatedPause(wantedPause) : Pause.NEITHER;
        // The other end is told to wait when the packet buffer is nine tenths full, or has no room for two more frames.
        int buffer = model.packetBuffer(registers.read(RXPBS));
        int high = Math.max(Math.min(buffer * 9 / 10, buffer - 2 * LONGEST_FRAME), buffer / 2) & ~0xf;
        registers.write(FCRTL, pause.sends() ? FCRTL_XONE.mask() | (high - 16) : 0);
        registers.write(FCRTH, pause.sends() ? high : 0);
        registers.put(CTRL, CTRL_RFCE, pause.receives());
        registers.put(CTRL, CTRL_TFCE, pause.sends());
    }

    /** What the other end offers. */
    public Set<LinkMode> partner() {
        return state().up() ? phy.partner() : Set.of();
    }

    /** What the MAC and the PHY say of the link, for a message about why there is none. */
    public String describe() {
        return String.format("STATUS=0x%08x, %s", registers.status(), phy.describe());
    }
}
