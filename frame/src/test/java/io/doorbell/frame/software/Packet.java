package io.doorbell.frame.software;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A packet as it is on the wire, put together byte by byte from what it is to say, checksums included: what segments are
 * compared with.
 */
public record Packet(boolean ipv4, boolean tcp, int tags, int ipOptions, int tcpOptions, int flags, byte[] payload) {

    private static final int SEQUENCE = 0xffff_fff0;
    private static final int ID = 0xfffe;

    public int network() {
        return 14 + 4 * tags;
    }

    public int transport() {
        return network() + (ipv4 ? 20 + ipOptions : 40);
    }

    public int headers() {
        return transport() + (tcp ? 20 + tcpOptions : 8);
    }

    public int checksumOffset() {
        return tcp ? 16 : 6;
    }

    /** The whole, with the checksum of the pseudo header only where that of the transport belongs. */
    public byte[] undone() {
        byte[] bytes = bytes(0, payload.length, 0, flags);
        ByteBuffer.wrap(bytes).putShort(transport() + checksumOffset(), (short) fold(pseudo(bytes)));
        return bytes;
    }

    public byte[] whole() {
        return checksummed(bytes(0, payload.length, 0, flags));
    }

    public List<byte[]> segments(int size) {
        List<byte[]> segments = new ArrayList<>();
        for (int from = 0; from == 0 || from < payload.length; from += size) {
            int to = Math.min(from + size, payload.length);
            int itsFlags = flags;
            if (from > 0) {
                itsFlags &= ~0x80; // CWR
            }
            if (to < payload.length) {
                itsFlags &= ~(0x01 | 0x08); // FIN, PSH
            }
            segments.add(checksummed(bytes(from, to, segments.size(), itsFlags)));
        }
        return segments;
    }

    private byte[] bytes(int from, int to, int number, int itsFlags) {
        int length = headers() + to - from;
        ByteBuffer bytes = ByteBuffer.allocate(length);
        bytes.put(new byte[] {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
        for (int i = 0; i < tags; i++) {
            bytes.putShort((short) (i < tags - 1 ? 0x88a8 : 0x8100)).putShort((short) (100 + i));
        }
        bytes.putShort((short) (ipv4 ? 0x0800 : 0x86dd));
        if (ipv4) {
            bytes.put((byte) (0x40 | (20 + ipOptions) / 4)).put((byte) 0);
            bytes.putShort((short) (length - network()))
                    .putShort((short) (ID + number))
                    .putShort((short) 0x4000);
            bytes.put((byte) 64).put((byte) (tcp ? 6 : 17)).putShort((short) 0);
            bytes.putInt(0xc0a80001).putInt(0xc0a8fffe).put(new byte[ipOptions]);
            int header = 20 + ipOptions;
            int sum = sum(bytes.array(), network(), header);
            bytes.putShort(network() + 10, (short) ~fold(sum));
        } else {
            bytes.putInt(0x6000_0000).putShort((short) (length - network() - 40));
            bytes.put((byte) (tcp ? 6 : 17)).put((byte) 64);
            bytes.putLong(0xfe80_0000_0000_0000L).putLong(0x1234_5678_9abc_def0L);
            bytes.putLong(0xfe80_0000_0000_0000L).putLong(0xffff_ffff_ffff_fffeL);
        }
        bytes.putShort((short) 1234).putShort((short) 80);
        if (tcp) {
            bytes.putInt(SEQUENCE + from).putInt(77);
            bytes.put((byte) ((20 + tcpOptions) / 4 << 4)).put((byte) itsFlags).putShort((short) 512);
            bytes.putInt(0).put(new byte[tcpOptions]);
        } else {
            bytes.putShort((short) (length - transport())).putShort((short) 0);
        }
        return bytes.put(Arrays.copyOfRange(payload, from, to)).array();
    }

    private byte[] checksummed(byte[] bytes) {
        int at = transport() + checksumOffset();
        int sum = ~fold(pseudo(bytes) + sum(bytes, transport(), bytes.length - transport())) & 0xffff;
        ByteBuffer.wrap(bytes).putShort(at, (short) (sum == 0 ? 0xffff : sum));
        return bytes;
    }

    private int pseudo(byte[] bytes) {
        int addresses = ipv4 ? sum(bytes, network() + 12, 8) : sum(bytes, network() + 8, 32);
        int length = bytes.length - transport();
        return addresses + (length >>> 16) + (length & 0xffff) + (tcp ? 6 : 17);
    }

    private static int sum(byte[] bytes, int from, int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (bytes[from + i] & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        return sum;
    }

    private static int fold(int sum) {
        int rest = sum;
        while (rest >>> 16 != 0) {
            rest = (rest & 0xffff) + (rest >>> 16);
        }
        return rest;
    }
}
