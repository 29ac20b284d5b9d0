package io.doorbell.virtio.vhost;

import io.doorbell.DoorbellException;

/** The other end of a vhost-user connection did not answer in time. */
public final class VhostTimeout extends DoorbellException {
    private static final long serialVersionUID = 1L;

    VhostTimeout(String message) {
        super(message);
    }
}
