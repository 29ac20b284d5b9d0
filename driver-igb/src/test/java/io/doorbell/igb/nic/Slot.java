package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.pci.PciFunction;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Where the device is plugged in. */
final class Slot extends LyingFunction {

    /** Nobody answers any more. */
    boolean pulled;

    /** The device does not hear of frames to send, and there is no link, as with silicon whose cable was pulled. */
    boolean linkLost;

    /** The PHY is another one than QEMU's, with registers of its own from 16 on. */
    boolean otherPhy;

    /** Nobody can be told when the device is lost. */
    boolean refusesListener;

    /** The device does not let go of the first transmit queue. */
    boolean neverDisables;

    /** The PHY does not answer. */
    boolean deafPhy;

    private int mdic;
    boolean closed;
    Consumer<String> listener = _ -> {};

    Slot(PciFunction device) {
        super(device);
    }

    @Override
    protected int reads(int offset, int value) {
        if (offset == IgbRegisters.MDIC.offset() && mdic != 0) {
            return mdic;
        }
        if (neverDisables && offset == IgbRegisters.TXDCTL.at(0)) {
            return IgbRegisters.TXDCTL_ENABLE.mask();
        }
        if (deafPhy && offset == IgbRegisters.MDIC.offset()) {
            return 0;
        }
        int read = pulled ? -1 : value;
        return linkLost && offset == IgbRegisters.STATUS.offset() ? read & ~IgbRegisters.STATUS_LU.mask() : read;
    }

    @Override
    protected OptionalInt writes(int offset, int value) {
        if (offset == IgbRegisters.MDIC.offset()) {
            boolean own = otherPhy && IgbRegisters.MDIC_REGADD.in(value) >= 16;
            mdic = own ? value | IgbRegisters.MDIC_READY.mask() : 0;
            if (own) {
                return OptionalInt.empty();
            }
        }
        boolean heard = !linkLost || offset != IgbRegisters.TDT.at(0) || value == 0;
        return pulled || !heard ? OptionalInt.empty() : OptionalInt.of(value);
    }

    @Override
    public void onLoss(Consumer<String> listener) {
        if (refusesListener) {
            throw new DoorbellException("VFIO_DEVICE_SET_IRQS failed: EINVAL");
        }
        this.listener = listener;
    }

    @Override
    public void close() {
        closed = true;
        super.close();
    }
}
