package io.doorbell.frame.warmup;

import io.doorbell.frame.MacAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * Frames as they come by on any network, from a neighbour to the station that practises, or through it to somebody else:
 * mostly short ones, of several protocols, right down to their checksums. IP addresses are those for benchmarks (RFC 2544,
 * RFC 5180).
 */
final class SampleFrames {

    private static final int ETHERNET = 14;
    private static final int IP4_HEADER = 20;
    private static final int IP6_HEADER = 40;
    private static final int SHORTEST = 60;

    private static final long FIRST_NEIGHBOUR = 0x0200_0000_0001L;
    private static final int BITS_BELOW_NEIGHBOUR = 8;

    private static final int NEIGHBOUR_IP4 = 198 << 24 | 18 << 16 | 1;
    private static final int STATION_IP4 = NEIGHBOUR_IP4 + 1;

    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;

    private final MacAddress sender;
    private final byte[][] frames;
    private int next;
    private byte[] chosen;

    /**
     * @param sender who sends them
     * @param station who receives them
     * @param behind whom some of them are for; may be {@code station}
     */
    SampleFrames(MacAddress sender, MacAddress station, MacAddress behind) {
        this.sender = sender;
        byte[] udp = udp4(behind, SHORTEST);
        frames = new byte[][] {
            udp, tcp(station), udp, arp(), udp, echoRequest(station), udp6(station, 110), udp4(behind, 1514)
        };
        chosen = udp;
    }

    /** The neighbour of the NIC with this number among those that an application works on. */
    static MacAddress neighbour(int nic) {
        return new MacAddress(FIRST_NEIGHBOUR + ((long) nic << BITS_BELOW_NEIGHBOUR));
    }

    /** Goes on to the next frame; returns how long it is, in bytes. */
    int choose() {
        chosen = frames[next];
        next = next + 1 == frames.length ? 0 : next + 1;
        return chosen.length;
    }

    /** Writes the frame that was chosen last. */
    void write(MemorySegment memory, long position) {
        MemorySegment.copy(chosen, 0, memory, ValueLayout.JAVA_BYTE, position, chosen.length);
    }

    private ByteBuffer ethernet(int length, MacAddress destination, int type) {
        return put(put(ByteBuffer.allocate(length), destination), sender).putShort((short) type);
    }

    private static ByteBuffer put(ByteBuffer frame, MacAddress address) {
        return frame.putShort((short) (address.value() >>> 32)).putInt((int) address.value());
    }

    private byte[] arp() {
        ByteBuffer frame = ethernet(SHORTEST, MacAddress.BROADCAST, 0x0806)
                .putLong(0x0001_0800_0604_0001L); // Ethernet and IPv4; who has
        put(frame, sender).putInt(NEIGHBOUR_IP4);
        return put(frame, new MacAddress(0)).putInt(STATION_IP4).array();
    }

    private byte[] udp4(MacAddress station, int length) {
        ByteBuffer frame = ip4(station, length, UDP);
        return udp(frame, ETHERNET + IP4_HEADER);
    }

    private static byte[] udp(ByteBuffer frame, int start) {
        int length = frame.capacity() - start;
        // Ports of the echo protocol's: discard would be too easy to drop.
        frame.putShort((short) 7).putShort((short) 7).putShort((short) length);
        return checksummed(frame, start, UDP, start + 6);
    }

    private byte[] tcp(MacAddress station) {
        int start = ETHERNET + IP4_HEADER;
        ByteBuffer frame = ip4(station, SHORTEST, TCP);
        frame.putShort((short) 80).putShort((short) 49152).putInt(1).putInt(1);
        frame.putInt(0x5018_ffff); // 5 words of header, PSH and ACK, a window
        return checksummed(frame, start, TCP, start + 16);
    }

    private byte[] echoRequest(MacAddress station) {
        int start = ETHERNET + IP4_HEADER;
        ByteBuffer frame = ip4(station, 98, ICMP);
        frame.putLong(start, 0x0800_0000_0001_0001L);
        return checksummed(frame, start, 0, start + 2); // without a pseudo header
    }

    private ByteBuffer ip4(MacAddress station, int length, int protocol) {
        ByteBuffer frame = ethernet(length, station, 0x0800)
                .putShort((short) 0x4500)
                .putShort((short) (length - ETHERNET))
                .putInt(0x4000) // may not be fragmented
                .putShort((short) (64 << 8 | protocol))
                .putShort((short) 0)
                .putInt(NEIGHBOUR_IP4)
                .putInt(STATION_IP4);
        return frame.putShort(ETHERNET + 10, (short) ~sum(frame, ETHERNET, ETHERNET + IP4_HEADER, 0));
    }

    private byte[] udp6(MacAddress station, int length) {
        ByteBuffer frame = ethernet(length, station, 0x86dd)
                .putInt(0x6000_0000)
                .putShort((short) (length - ETHERNET - IP6_HEADER))
                .putShort((short) (UDP << 8 | 64));
        frame.putLong(0x2001_0002_0000_0000L)
                .putLong(1)
                .putLong(0x2001_0002_0000_0000L)
                .putLong(2);
        return udp(frame, ETHERNET + IP6_HEADER);
    }

    /** @param protocol 0 where no pseudo header, which starts with the addresses before {@code start}, is summed up */
    private static byte[] checksummed(ByteBuffer frame, int start, int protocol, int at) {
        int end = frame.capacity();
        int addresses = start == ETHERNET + IP4_HEADER ? 8 : 32;
        int pseudo = protocol == 0 ? 0 : sum(frame, start - addresses, start, protocol + end - start);
        byte[] bytes = new byte[end];
        frame.putShort(at, (short) ~sum(frame, start, end, pseudo)).get(0, bytes);
        return bytes;
    }

    /** The sum in ones' complement (RFC 1071) of 16-bit words, of which there is a whole number. */
    private static int sum(ByteBuffer frame, int from, int to, int before) {
        int sum = before;
        for (int i = from; i < to; i += Short.BYTES) {
            sum += frame.getShort(i) & 0xffff;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }
}
