package io.doorbell.frame.software;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.SendLimits;

/**
 * Makes of one large frame the row of frames that it stands for, as Linux does (generic segmentation offload): each has
 * the headers, with lengths, numbers, flags and checksums of its own, and a piece of the payload. Or it copies a frame
 * into fewer slots.
 *
 * <p>The frame may have come from a guest or another process, so nothing that is said of it is believed before it has been
 * looked at. Belongs to one thread at a time.
 */
final class Segmenter {

    private static final int ETHER_TYPE = 12;
    private static final int VLAN = 0x8100;
    private static final int SERVICE_VLAN = 0x88a8;
    private static final int MOST_TAGS = 2;
    private static final int TAG = 4;
    private static final int IPV4 = 0x0800;
    private static final int IPV6 = 0x86dd;

    // IPv4 (RFC 791, 3.1) and IPv6 (RFC 8200, 3)
    private static final int IPV4_HEADER = 20;
    private static final int IPV4_LENGTH = 2;
    private static final int IPV4_ID = 4;
    private static final int IPV4_CHECKSUM = 10;
    private static final int IPV6_HEADER = 40;
    private static final int IPV6_LENGTH = 4;

    // TCP (RFC 9293, 3.1) and UDP (RFC 768)
    private static final int TCP_HEADER = 20;
    private static final int TCP_SEQUENCE = 4;
    private static final int TCP_DATA_OFFSET = 12;
    private static final int TCP_FLAGS = 13;
    private static final int TCP_CHECKSUM = 16;
    private static final int FIN = 0x01;
    private static final int PSH = 0x08;
    private static final int CWR = 0x80;
    private static final int UDP_HEADER = 8;
    private static final int UDP_LENGTH = 4;
    private static final int UDP_CHECKSUM = 6;

    private static final int LARGEST_PACKET = 65535;

    /** Bytes in the longest frame that is segmented: an Ethernet header, and the largest IPv6 packet with its header. */
    static final int LONGEST = 14 + IPV6_HEADER + LARGEST_PACKET;

    private final FramePool pool;
    /** Bytes in a slot of a frame that is made here. */
    private final int room;

    private final FrameBatch whole;
    /** Bytes in the whole frame, in its headers, and in each piece of its payload but the last. */
    private int total;

    private int headers;
    private int size;
    /** Where the payload starts that is not in a frame of its own yet, and how many frames there are. */
    private int next;

    private int made;

    /** What the device does for each frame that is made. */
    private int left;

    private boolean copy;
    private boolean tcp;
    private boolean ipv4;
    private int network;
    private int transport;
    private int checksum;

    /** @param whole where the frame is put that is to be segmented, with nothing else */
    Segmenter(FrameBatch whole, FramePool pool) {
        this.whole = whole;
        this.pool = pool;
        this.room = pool.bufferSize() - FramePool.HEADROOM;
    }

    /**
     * Begins with a frame that asks for {@link Offloads#SEGMENT}.
     *
     * @return false when that is no frame which could be segmented within the limits
     */
    boolean start(SendLimits limits) {
        begin(limits);
        copy = false;
        return findHeaders(whole.frame(0)) && fits(Math.min(headers + size, total), limits);
    }

    /** As {@link #start}, with a frame that is to stay as it is, but in as few slots as it can be. */
    boolean startCopy(SendLimits limits) {
        begin(limits);
        copy = true;
        headers = 0;
        size = total;
        next = 0;
        return fits(total, limits);
    }

    private void begin(SendLimits limits) {
        total = whole.length(0);
        made = 0;
        left = whole.frame(0).offloads() & limits.offloads() & (Offloads.NEEDS_CHECKSUM | Offloads.VLAN_TAG);
    }

    private boolean fits(int length, SendLimits limits) {
        return length >= limits.shortest()
                && length <= limits.longest()
                && slots(length) <= limits.slots()
                && headers <= room;
    }

    private int slots(int length) {
        return Math.max(1, Math.ceilDiv(length, room));
    }

    /** Sets where the headers are; false if they are not what the frame says, or not all in its first slot. */
    private boolean findHeaders(Frame first) {
        if ((first.offloads() & Offloads.NEEDS_CHECKSUM) == 0) {
            return false;
        }
        transport = first.checksumStart();
        checksum = first.checksumOffset();
        size = first.segmentSize();
        tcp = first.segmentation() != Segmentation.UDP;
        if (!findNetwork(first) || transport > first.length() - (tcp ? TCP_HEADER : UDP_HEADER)) {
            return false;
        }
        headers = transport + (tcp ? tcpHeader(first) : UDP_HEADER);
        next = headers;
        return checksum == (tcp ? TCP_CHECKSUM : UDP_CHECKSUM)
                && headers - transport >= (tcp ? TCP_HEADER : UDP_HEADER)
                && headers <= first.length()
                && size <= LARGEST_PACKET - (headers - network);
    }

    private int tcpHeader(Frame first) {
        return (first.getByte(transport + TCP_DATA_OFFSET) >>> 4 & 0xf) * Integer.BYTES;
    }

    private boolean findNetwork(Frame first) {
        int type = ETHER_TYPE;
        for (int tags = 0; ; tags++) {
            if (type + Short.BYTES + IPV4_HEADER > first.length()) {
                return false;
            }
            int etherType = first.getUnsignedShort(type);
            if (etherType == IPV4 || etherType == IPV6) {
                network = type + Short.BYTES;
                ipv4 = etherType == IPV4;
                return isExpected(first.segmentation()) && transport >= network + networkHeader(first);
            }
            if ((etherType != VLAN && etherType != SERVICE_VLAN) || tags == MOST_TAGS) {
                return false;
            }
            type += TAG;
        }
    }

    private boolean isExpected(Segmentation by) {
        return switch (by) {
            case TCP4 -> ipv4;
            case TCP6 -> !ipv4;
            case UDP -> true;
        };
    }

    private int networkHeader(Frame first) {
        return ipv4 ? Math.max(IPV4_HEADER, ipv4Header(first)) : IPV6_HEADER;
    }

    private int ipv4Header(Frame first) {
        return (first.getByte(network) & 0xf) * Integer.BYTES;
    }

    /** Whether all of the frame is in frames that were made. */
    boolean isDone() {
        return made > 0 && next >= total;
    }

    /**
     * Makes one more frame, at the end of {@code out}.
     *
     * @return false when that has too little room, or the pool too few buffers
     */
    boolean makeNext(FrameBatch out) {
        int length = headers + Math.min(size, total - next);
        int slots = slots(length);
        int at = out.size();
        if (slots > out.remaining()) {
            return false;
        }
        if (pool.allocate(out, slots) < slots) {
            while (out.size() > at) {
                out.release(out.size() - 1);
            }
            return false;
        }
        fill(out, at, length);
        out.join(at, slots);
        describe(out, at, length);
        next += length - headers;
        made++;
        return true;
    }

    private void fill(FrameBatch out, int at, int length) {
        int done = 0;
        for (int i = at; done < length; i++) {
            Frame target = out.frame(i);
            int count = Math.min(room, length - done);
            target.length(count);
            int ofHeaders = Math.min(count, Math.max(0, headers - done));
            if (ofHeaders > 0) {
                copy(done, target, 0, ofHeaders);
            }
            copy(next + done + ofHeaders - headers, target, ofHeaders, count - ofHeaders);
            done += count;
        }
    }

    /** Copies bytes of the whole frame, from {@code from} on. */
    private void copy(int from, Frame target, int to, int count) {
        int skip = from;
        int done = 0;
        for (int i = 0; done < count; i++) {
            Frame slot = whole.frame(i);
            int piece = Math.min(count - done, slot.length() - skip);
            if (piece > 0) {
                target.setBytes(to + done, slot.memory(), slot.position() + skip, piece);
                done += piece;
                skip = 0;
            } else {
                skip -= slot.length();
            }
        }
    }

    private void describe(FrameBatch out, int at, int length) {
        Frame first = whole.frame(0);
        Frame frame = out.frame(at);
        frame.tag(first.tag());
        if ((left & Offloads.VLAN_TAG) != 0) {
            frame.vlanTag(first.vlanTag());
        }
        if (copy) {
            if ((left & Offloads.NEEDS_CHECKSUM) != 0) {
                frame.needsChecksum(first.checksumStart(), first.checksumOffset());
            }
            return;
        }
        writeNetwork(frame, length);
        writeTransport(frame, length);
        if ((left & Offloads.NEEDS_CHECKSUM) != 0) {
            frame.needsChecksum(transport, checksum);
        } else {
            InternetChecksum.complete(out, at, transport, checksum);
        }
    }

    private void writeNetwork(Frame frame, int length) {
        if (!ipv4) {
            frame.setShort(network + IPV6_LENGTH, (short) (length - network - IPV6_HEADER));
            return;
        }
        frame.setShort(network + IPV4_LENGTH, (short) (length - network));
        frame.setShort(network + IPV4_ID, (short) (frame.getShort(network + IPV4_ID) + made));
        frame.setShort(network + IPV4_CHECKSUM, (short) 0);
        frame.setShort(network + IPV4_CHECKSUM, InternetChecksum.of(frame, network, ipv4Header(frame)));
    }

    private void writeTransport(Frame frame, int length) {
        boolean last = next + length - headers >= total;
        if (tcp) {
            int sequence = transport + TCP_SEQUENCE;
            frame.setInt(sequence, frame.getInt(sequence) + next - headers);
            int flags = frame.getByte(transport + TCP_FLAGS);
            int others = (made > 0 ? CWR : 0) | (last ? 0 : FIN | PSH);
            frame.setByte(transport + TCP_FLAGS, (byte) (flags & ~others));
        } else {
            frame.setShort(transport + UDP_LENGTH, (short) (length - transport));
        }
        // What stands there is the sum of the pseudo header, in which is the length of the whole.
        short pseudo = frame.getShort(transport + checksum);
        int change = (length - transport) + (~(total - transport) & 0xffff);
        frame.setShort(transport + checksum, InternetChecksum.adjusted(pseudo, change));
    }
}
