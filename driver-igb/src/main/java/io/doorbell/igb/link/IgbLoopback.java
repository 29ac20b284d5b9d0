package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.CTRL;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_FD;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_FRCDPLX;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_FRCSPD;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_ILOS;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_SLU;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_SPEED;
import static io.doorbell.igb.spec.IgbRegisters.RCTL;
import static io.doorbell.igb.spec.IgbRegisters.RCTL_LBM;

import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;

/**
 * Sending frames back, in the MAC (82576 data sheet, 8.10.1, RCTL.LBM) or in the PHY (IEEE 802.3, 22.2.4.1.2). Both leave the MAC
 * at a speed that is not negotiated.
 */
public final class IgbLoopback {

    private static final int MAC = 1;
    private static final int SPEED_1000 = 2;

    private final RegisterFile registers;
    private final IgbModel model;
    private final IgbPhy phy;

    private boolean inMac;
    private boolean inPhy;

    public IgbLoopback(RegisterFile registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
        this.phy = new IgbPhy(registers, model.phy());
    }

    /** If it is not to be had: what continues {@code "NIC has no Loopback: "}. */
    public static String whyNot(IgbModel model) {
        return "its driver does not know how to turn frames back in the PHY of an " + model
                + ": put a loopback plug in its socket, or another port at the other end";
    }

    public boolean isOn() {
        return inMac || inPhy;
    }

    public void start(LoopbackPoint point) {
        stop();
        registers.status();
        switch (point) {
            case MAC -> inMac = true;
            case PHY -> {
                inPhy = true;
                phy.startLoopback(model);
            }
        }
        registers.write(
                CTRL,
                (registers.read(CTRL) & ~CTRL_SPEED.mask())
                        | CTRL_SPEED.of(SPEED_1000)
                        | CTRL_FRCSPD.mask()
                        | CTRL_FRCDPLX.mask()
                        | CTRL_FD.mask()
                        | CTRL_SLU.mask()
                        | (inPhy && model.invertsLossOfSignal() ? CTRL_ILOS.mask() : 0));
        if (inMac) {
            registers.write(RCTL, (registers.read(RCTL) & ~RCTL_LBM.mask()) | RCTL_LBM.of(MAC));
        }
    }

    /** Undoes it, but for the link, which is to be set up anew. Does nothing where it is not on. */
    public void stop() {
        if (inMac) {
            inMac = false;
            registers.clear(RCTL, RCTL_LBM);
        }
        if (inPhy) {
            inPhy = false;
            if (model.invertsLossOfSignal()) {
                registers.clear(CTRL, CTRL_ILOS);
            }
            phy.endLoopback();
        }
    }
}
