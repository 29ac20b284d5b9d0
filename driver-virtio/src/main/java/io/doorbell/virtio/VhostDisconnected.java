package io.doorbell.virtio;

import io.doorbell.DoorbellException;

/** The other end of a vhost-user socket is gone. */
final class VhostDisconnected extends DoorbellException {
    private static final long serialVersionUID = 1L;

    VhostDisconnected(String message) {
        super(message);
    }
}
