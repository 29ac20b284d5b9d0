package io.doorbell.virtio;

import io.doorbell.frame.MacAddress;
import java.util.concurrent.ThreadLocalRandom;

/** Station addresses for devices that have none of their own (5.1.5). */
final class LocalAddresses {

    /** Locally administered (IEEE 802, 8.4), unicast. */
    private static final long LOCAL = 0x02L << 40;

    private LocalAddresses() {}

    static MacAddress random() {
        return new MacAddress(LOCAL | ThreadLocalRandom.current().nextLong(1L << 40));
    }
}
