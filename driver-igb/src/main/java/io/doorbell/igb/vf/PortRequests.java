package io.doorbell.igb.vf;

import io.doorbell.frame.MacAddress;
import java.util.List;
import java.util.Optional;

/**
 * What a virtual function asks of its port, which owns the filters. Each is granted or refused; the words are those that the
 * drivers of the 82576 and the I350 agree on. All throw a {@link PortSilentException} when there is no answer.
 */
final class PortRequests {

    /** Groups that one request has room for: two a word. */
    static final int MOST_GROUPS = 30;

    private static final int RESET = 0x01;
    private static final int SET_MAC_ADDR = 0x02;
    private static final int SET_MULTICAST = 0x03;
    private static final int SET_VLAN = 0x04;
    private static final int SET_LPE = 0x05;
    private static final int SET_PROMISC = 0x06;

    // Bits 16 to 23 of the first word say more.
    private static final int INFO_SHIFT = 16;
    private static final int FILTER_CLEAR = 1 << INFO_SHIFT;
    private static final int FILTER_ADD = 2 << INFO_SHIFT;
    private static final int VLAN_ADD = 1 << INFO_SHIFT;
    private static final int ALL_UNICAST = 1 << INFO_SHIFT;
    private static final int ALL_MULTICAST = 2 << INFO_SHIFT;

    private final VfMailbox mailbox;

    PortRequests(VfMailbox mailbox) {
        this.mailbox = mailbox;
    }

    /**
     * Makes this virtual function known, after a reset: the port lets its queues run, and has forgotten its filters.
     *
     * @return the station address, if the port's administrator has given it one, or it has had one since it was there
     */
    Optional<MacAddress> introduce() {
        int[] answer = mailbox.introduce(3, RESET);
        return (answer[0] & VfMailbox.ACK) != 0
                ? Optional.of(address(answer[1], answer[2])).filter(MacAddress::isUnicast)
                : Optional.empty();
    }

    boolean own(MacAddress address) {
        return granted(SET_MAC_ADDR, low(address), high(address));
    }

    /** Receives the frames for one more unicast address. */
    boolean add(MacAddress address) {
        return granted(SET_MAC_ADDR | FILTER_ADD, low(address), high(address));
    }

    /**
     * Forgets all that were {@link #add added}.
     *
     * @param own its own address: Linux's driver refuses a request without one, although it makes no use of it
     */
    boolean clear(MacAddress own) {
        return granted(SET_MAC_ADDR | FILTER_CLEAR, low(own), high(own));
    }

    /** Receives the frames of these groups and no others; up to {@link #MOST_GROUPS}. */
    boolean groups(List<MacAddress> groups) {
        int[] request = new int[1 + (MOST_GROUPS + 1) / 2];
        request[0] = SET_MULTICAST | groups.size() << INFO_SHIFT;
        for (int i = 0; i < groups.size(); i++) {
            request[1 + i / 2] |= hash(groups.get(i)) << (16 * (i % 2));
        }
        return granted(request);
    }

    boolean vlan(int id) {
        return granted(SET_VLAN | VLAN_ADD, id);
    }

    /** Receives frames of up to so many bytes, with a VLAN tag and the check sequence. */
    boolean longest(int bytes) {
        return granted(SET_LPE, bytes);
    }

    boolean promiscuous(boolean unicast, boolean multicast) {
        return granted(SET_PROMISC | (unicast ? ALL_UNICAST : 0) | (multicast ? ALL_MULTICAST : 0));
    }

    private boolean granted(int... request) {
        return (mailbox.ask(1, request)[0] & VfMailbox.ACK) != 0;
    }

    /** The first four bytes on the wire, the first one lowest. */
    private static int low(MacAddress address) {
        return (int) (Long.reverseBytes(address.value()) >>> 16);
    }

    private static int high(MacAddress address) {
        return (int) (Long.reverseBytes(address.value()) >>> 48);
    }

    private static MacAddress address(int low, int high) {
        return new MacAddress(Long.reverseBytes(Integer.toUnsignedLong(low) | (long) (high & 0xffff) << 32) >>> 16);
    }

    /** Bits 47 to 36 of the address, the last byte on the wire being the most significant. */
    private static int hash(MacAddress address) {
        return (address.octet(5) << 4) | (address.octet(4) >>> 4);
    }
}
