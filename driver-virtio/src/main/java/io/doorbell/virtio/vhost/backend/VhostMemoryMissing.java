package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;

/** A ring is in memory that the front-end does not share, or not at present. */
final class VhostMemoryMissing extends DoorbellException {
    private static final long serialVersionUID = 1L;

    VhostMemoryMissing(String message) {
        super(message);
    }
}
