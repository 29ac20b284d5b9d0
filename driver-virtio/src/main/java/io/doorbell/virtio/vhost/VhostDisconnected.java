package io.doorbell.virtio.vhost;

import io.doorbell.DoorbellException;

/** The other end of a vhost-user socket is gone. */
public final class VhostDisconnected extends DoorbellException {
    private static final long serialVersionUID = 1L;

    public VhostDisconnected(String message) {
        super(message);
    }
}
