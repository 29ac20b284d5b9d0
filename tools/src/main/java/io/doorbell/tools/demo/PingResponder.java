package io.doorbell.tools.demo;

import io.doorbell.frame.Frame;
import io.doorbell.frame.MacAddress;

/**
 * Answers for one IPv4 address: to ARP requests (RFC 826) and to ICMP echo requests (RFC 792), in the very frame that
 * asked. Checksums are verified on the way in and computed on the way out (RFC 1071).
 */
final class PingResponder {

    private static final int ETHERTYPE = 12;
    private static final int ETHERTYPE_IPV4 = 0x0800;
    private static final int ETHERTYPE_ARP = 0x0806;
    private static final int PAYLOAD = 14;

    private static final long ARP_ETHERNET_IPV4_REQUEST = 0x0001_0800_0604_0001L;
    private static final int ARP_OPERATION = PAYLOAD + 6;
    private static final int ARP_REPLY = 2;
    private static final int ARP_SENDER_MAC = PAYLOAD + 8;
    private static final int ARP_SENDER_IP = PAYLOAD + 14;
    private static final int ARP_TARGET_MAC = PAYLOAD + 18;
    private static final int ARP_TARGET_IP = PAYLOAD + 24;
    private static final int ARP_END = PAYLOAD + 28;

    private static final int IP_TOTAL_LENGTH = PAYLOAD + 2;
    private static final int IP_FRAGMENT = PAYLOAD + 6;
    private static final int IP_MORE_FRAGMENTS_OR_OFFSET = 0x3fff;
    private static final int IP_TTL = PAYLOAD + 8;
    private static final int IP_PROTOCOL = PAYLOAD + 9;
    private static final int IP_CHECKSUM = PAYLOAD + 10;
    private static final int IP_SOURCE = PAYLOAD + 12;
    private static final int IP_DESTINATION = PAYLOAD + 16;
    private static final int IP_HEADER = 20;
    private static final int ICMP = 1;
    private static final int ICMP_HEADER = 8;
    private static final int ECHO_REQUEST = 0x0800;
    private static final int ECHO_REPLY = 0x0000;

    private final MacAddress mac;
    private final int address;

    /**
     * @param mac the station that answers
     * @param address its IPv4 address, the first byte on the wire being the most significant
     */
    PingResponder(MacAddress mac, int address) {
        this.mac = mac;
        this.address = address;
    }

    /**
     * Turns a request for this station into its reply, ready to be sent.
     *
     * @return false when the frame is no such request, or a damaged one; it is as it was then
     */
    boolean answer(Frame frame) {
        if (frame.length() < PAYLOAD) {
            return false;
        }
        return switch (frame.getShort(ETHERTYPE) & 0xffff) {
            case ETHERTYPE_ARP -> answerArp(frame);
            case ETHERTYPE_IPV4 -> answerEcho(frame);
            default -> false;
        };
    }

    private boolean answerArp(Frame frame) {
        if (frame.length() < ARP_END
                || frame.getLong(PAYLOAD) != ARP_ETHERNET_IPV4_REQUEST
                || frame.getInt(ARP_TARGET_IP) != address) {
            return false;
        }
        MacAddress asker = frame.getMac(ARP_SENDER_MAC);
        int askerAddress = frame.getInt(ARP_SENDER_IP);
        frame.setMac(0, asker);
        frame.setMac(6, mac);
        frame.setShort(ARP_OPERATION, (short) ARP_REPLY);
        frame.setMac(ARP_SENDER_MAC, mac);
        frame.setInt(ARP_SENDER_IP, address);
        frame.setMac(ARP_TARGET_MAC, asker);
        frame.setInt(ARP_TARGET_IP, askerAddress);
        return true;
    }

    private boolean answerEcho(Frame frame) {
        if (frame.length() < PAYLOAD + IP_HEADER + ICMP_HEADER
                || !frame.getMac(0).equals(mac)) {
            return false;
        }
        int version = frame.getByte(PAYLOAD) >>> 4;
        int header = (frame.getByte(PAYLOAD) & 0xf) * 4;
        int total = frame.getShort(IP_TOTAL_LENGTH) & 0xffff;
        int message = PAYLOAD + header;
        int messageLength = total - header;
        if (version != 4
                || header < IP_HEADER
                || messageLength < ICMP_HEADER
                || PAYLOAD + total > frame.length()
                || checksum(frame, PAYLOAD, header) != 0
                || (frame.getShort(IP_FRAGMENT) & IP_MORE_FRAGMENTS_OR_OFFSET) != 0
                || frame.getByte(IP_PROTOCOL) != ICMP
                || frame.getInt(IP_DESTINATION) != address
                || (frame.getShort(message) & 0xffff) != ECHO_REQUEST
                || checksum(frame, message, messageLength) != 0) {
            return false;
        }
        frame.setMac(0, frame.getMac(6));
        frame.setMac(6, mac);
        frame.setInt(IP_DESTINATION, frame.getInt(IP_SOURCE));
        frame.setInt(IP_SOURCE, address);
        frame.setByte(IP_TTL, (byte) 64);
        frame.setShort(IP_CHECKSUM, (short) 0);
        frame.setShort(IP_CHECKSUM, (short) checksum(frame, PAYLOAD, header));
        frame.setShort(message, (short) ECHO_REPLY);
        frame.setShort(message + 2, (short) 0);
        frame.setShort(message + 2, (short) checksum(frame, message, messageLength));
        return true;
    }

    /** The Internet checksum (RFC 1071) of a part of the frame: 0 where the part holds its own, correct checksum. */
    static int checksum(Frame frame, int from, int length) {
        int sum = 0;
        int even = length & ~1;
        for (int i = 0; i < even; i += 2) {
            sum += frame.getShort(from + i) & 0xffff;
        }
        if (even != length) {
            sum += (frame.getByte(from + even) & 0xff) << 8;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return ~sum & 0xffff;
    }
}
