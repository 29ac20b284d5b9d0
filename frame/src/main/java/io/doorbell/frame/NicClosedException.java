package io.doorbell.frame;

/**
 * The NIC was closed, here or by another thread. Nothing is wrong with the device: a loop that polls while another thread
 * closes the NIC ends with this.
 */
public final class NicClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** Says what was closed. */
    public NicClosedException(String what) {
        super(what + " is closed");
    }
}
