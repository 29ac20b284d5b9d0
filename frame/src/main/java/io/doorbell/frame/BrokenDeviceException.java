package io.doorbell.frame;

import io.doorbell.DoorbellException;

/**
 * The device did what it must not: it wrote something into a ring that cannot be, or it is gone. The queue, or the NIC,
 * that met it has stopped; {@link Nic#reset} sets it up again if the device lets itself be reset.
 */
public sealed class BrokenDeviceException extends DoorbellException permits NicRemovedException {
    private static final long serialVersionUID = 1L;

    /** Says what was seen, where, and what was expected. */
    public BrokenDeviceException(String message) {
        super(message);
    }
}
