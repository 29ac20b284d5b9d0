package io.doorbell.virtio.net;

import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Segmentation;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An Ethernet frame with TCP or UDP in it, to be written with the checksum left to others, and to be checked.
 *
 * @param kind the protocols that it is made by
 */
record Packet(Kind kind, byte[] bytes) {

    /** Transport and network protocol. */
    enum Kind {
        TCP4,
        TCP6,
        UDP4,
        UDP6;

        boolean isUdp() {
            return this == UDP4 || this == UDP6;
        }

        boolean isIpv6() {
            return this == TCP6 || this == UDP6;
        }

        Segmentation segmentation() {
            return isUdp() ? Segmentation.UDP : isIpv6() ? Segmentation.TCP6 : Segmentation.TCP4;
        }
    }

    private static final int ETHERNET = 14;
    private static final int TCP = 6;
    private static final int UDP = 17;

    private static final int SEQUENCE = 1000;

    /** PSH and ACK; CWR beside them marks the first piece of those that a frame is cut into. */
    static final int PSH_ACK = 0x18;

    static final int CWR = 0x80;

    /** A frame with everything in place but the transport's checksum, in whose place the pseudo header's sum is. */
    static Packet unfinished(Kind kind, MacAddress from, MacAddress to, byte[] payload, int tcpFlags) {
        int ip = kind.isIpv6() ? 40 : 20;
        int transport = kind.isUdp() ? 8 : 20;
        ByteBuffer frame = ByteBuffer.allocate(ETHERNET + ip + transport + payload.length);
        putMac(frame, to);
        putMac(frame, from);
        int length = transport + payload.length;
        if (kind.isIpv6()) {
            frame.putShort((short) 0x86dd).putInt(6 << 28).putShort((short) length);
            frame.put((byte) (kind.isUdp() ? UDP : TCP)).put((byte) 64);
            frame.putLong(0xfd00_0000_0000_0000L)
                    .putLong(1)
                    .putLong(0xfd00_0000_0000_0000L)
                    .putLong(2);
        } else {
            frame.putShort((short) 0x0800).putShort((short) 0x4500).putShort((short) (20 + length));
            frame.putInt(0x0007_4000).put((byte) 64).put((byte) (kind.isUdp() ? UDP : TCP));
            frame.putShort((short) 0).putInt(0x0a000001).putInt(0x0a000002);
        }
        if (kind.isUdp()) {
            frame.putShort((short) 4000)
                    .putShort((short) 5000)
                    .putShort((short) length)
                    .putShort((short) 0);
        } else {
            frame.putShort((short) 4000).putShort((short) 5000).putInt(SEQUENCE).putInt(77);
            frame.put((byte) 0x50).put((byte) tcpFlags).putShort((short) 1024).putInt(0);
        }
        frame.put(payload);
        return new Packet(kind, frame.array()).withSums();
    }

    /** Puts the sum of the IPv4 header and that of the pseudo header in place. */
    private Packet withSums() {
        ByteBuffer frame = ByteBuffer.wrap(bytes);
        if (!kind.isIpv6()) {
            frame.putShort(ETHERNET + 10, (short) 0);
            frame.putShort(ETHERNET + 10, (short) ~sum(bytes, ETHERNET, 20, 0));
        }
        frame.putShort(checksumStart() + checksumOffset(), (short) pseudoHeader());
        return this;
    }

    /** The same with other IPv4 addresses, for a port there. */
    Packet between(String from, String to, int port) {
        byte[] copy = bytes.clone();
        ByteBuffer frame = ByteBuffer.wrap(copy);
        putAddress(frame.position(ETHERNET + 12), from);
        putAddress(frame, to);
        frame.putShort(ETHERNET + 20 + 2, (short) port);
        return new Packet(kind, copy).withSums();
    }

    private static void putAddress(ByteBuffer frame, String address) {
        for (String octet : address.split("\\.")) {
            frame.put((byte) Integer.parseInt(octet));
        }
    }

    /** As whoever completes the checksum makes it. */
    Packet finished() {
        byte[] copy = bytes.clone();
        int sum = sum(copy, checksumStart(), copy.length - checksumStart(), 0);
        ByteBuffer.wrap(copy).putShort(checksumStart() + checksumOffset(), (short) ~sum);
        return new Packet(kind, copy);
    }

    private static void putMac(ByteBuffer frame, MacAddress address) {
        for (int i = 0; i < 6; i++) {
            frame.put((byte) address.octet(i));
        }
    }

    /** Where the transport header starts, and summing with it. */
    int checksumStart() {
        return ETHERNET + (kind.isIpv6() ? 40 : 20);
    }

    int checksumOffset() {
        return kind.isUdp() ? 6 : 16;
    }

    /** Bytes up to the payload. */
    int headers() {
        return checksumStart() + (kind.isUdp() ? 8 : 20);
    }

    byte[] payload() {
        return Arrays.copyOfRange(bytes, headers(), bytes.length);
    }

    int tcpFlags() {
        return bytes[checksumStart() + 13] & 0xff;
    }

    /** How far behind the first piece's payload this one's is; TCP only. */
    int tcpPosition() {
        return ByteBuffer.wrap(bytes).getInt(checksumStart() + 4) - SEQUENCE;
    }

    /** Whether all lengths and checksums are in place and right. */
    boolean isFinished() {
        return lengthsAreRight()
                && (kind.isIpv6() || sum(bytes, ETHERNET, 20, 0) == 0xffff)
                && sum(bytes, checksumStart(), bytes.length - checksumStart(), pseudoHeader()) == 0xffff;
    }

    private boolean lengthsAreRight() {
        ByteBuffer frame = ByteBuffer.wrap(bytes);
        int transport = bytes.length - checksumStart();
        boolean ip = kind.isIpv6()
                ? frame.getShort(ETHERNET + 4) == (short) transport
                : frame.getShort(ETHERNET + 2) == (short) (20 + transport);
        return ip && (!kind.isUdp() || frame.getShort(checksumStart() + 4) == (short) transport);
    }

    /** The sum of addresses, protocol and length (RFC 9293, 3.1; RFC 8200, 8.1). */
    private int pseudoHeader() {
        int rest = (kind.isUdp() ? UDP : TCP) + bytes.length - checksumStart();
        return kind.isIpv6() ? sum(bytes, ETHERNET + 8, 32, rest) : sum(bytes, ETHERNET + 12, 8, rest);
    }

    /** The ones' complement sum of 16-bit words (RFC 1071). */
    private static int sum(byte[] bytes, int from, int length, int start) {
        long sum = start;
        for (int i = 0; i < length; i++) {
            sum += (long) (bytes[from + i] & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        while (sum > 0xffff) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (int) sum;
    }
}
