package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import io.doorbell.frame.NicConfig;

/**
 * Requests of the device to announce this NIC's address to its network. A NIC has this when it was opened with
 * {@link NicConfig#withAnnouncements} and its device can ask.
 */
public interface Announcements extends Ability {

    /**
     * Whether the device has asked since the last call: its machine may have moved to another host, and switches are to
     * learn where it is now. The application then sends a gratuitous ARP (RFC 5227), or the like for IPv6 (RFC 4861,
     * 7.2.6), for each address that it has: which those are no driver knows. To be asked every now and then, once a second
     * say.
     */
    boolean takeRequest();
}
