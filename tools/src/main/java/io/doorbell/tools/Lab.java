package io.doorbell.tools;

import io.doorbell.qemu.Wire;

/** Who is on the wire of {@code nicctl lab} and {@code nicctl demo}. */
final class Lab {

    static final Wire.Hub HUB = Wire.hub(0);

    /** Locally administered addresses. */
    static final String IGB_MAC = "52:54:00:00:00:01";

    static final String KERNEL_MAC = "52:54:00:00:00:02";
    static final String PEER_MAC = "52:54:00:00:00:03";

    private Lab() {}
}
