package io.doorbell.frame;

/**
 * The device is gone: it was unplugged, its driver was unbound, or it has lost power. Where the system said so, the NIC has been
 * closed by that, its memory is released, and all that is asked of it ends with this, in each thread; open it again once it is back.
 * Where its registers merely read as all ones, {@link Nic#reset} brings it back if it answers again.
 */
public final class NicRemovedException extends BrokenDeviceException {
    private static final long serialVersionUID = 1L;

    /** Says what is gone, and by what that showed. */
    public NicRemovedException(String message) {
        super(message);
    }
}
