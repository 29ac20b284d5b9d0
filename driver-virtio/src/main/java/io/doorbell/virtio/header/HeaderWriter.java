package io.doorbell.virtio.header;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.Offloads;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/** Writes the headers (5.1.6.2) of frames that ask for something, which is out of the way of those that do not. */
public final class HeaderWriter {

    /** What a frame can ask for. */
    public static final int ASKED = Offloads.NEEDS_CHECKSUM
            | Offloads.SEGMENT
            | Offloads.VLAN_TAG
            | Offloads.TIME_STAMP
            | Offloads.NEEDS_CRC32C;

    private static final int ETHER_TYPE = 12;
    private static final short IPV6 = (short) 0x86dd;

    /** Where the flags are in a TCP header, and the one among them that a device must be told of. */
    private static final int TCP_FLAGS = 13;

    private static final int TCP_CWR = 0x80;

    private final String name;
    private final int header;
    private final OffloadSide side;
    private final Features features;

    /**
     * @param header bytes in a header
     * @param side who is to do what is asked
     */
    public HeaderWriter(String name, int header, OffloadSide side, Features features) {
        this.name = name;
        this.header = header;
        this.side = side;
        this.features = features;
    }

    /**
     * Writes what a frame asks for.
     *
     * @param at where the header is in {@code memory}
     * @throws DoorbellException when the other side does not do so for a frame, or it cannot be
     */
    public void write(Frame frame, MemorySegment memory, long at) {
        int offloads = frame.offloads();
        if ((offloads & Offloads.VLAN_TAG) != 0) {
            throw unable(Offloads.VLAN_TAG, "a virtio device inserts no tags");
        }
        if ((offloads & Offloads.TIME_STAMP) != 0) {
            throw unable(Offloads.TIME_STAMP, "a virtio device has no clock");
        }
        if ((offloads & Offloads.NEEDS_CRC32C) != 0) {
            throw unable(Offloads.NEEDS_CRC32C, "a virtio device knows sums only");
        }
        if ((offloads & Offloads.NEEDS_CHECKSUM) == 0) {
            throw new DoorbellException(
                    name + ": cannot cut a frame whose checksum is in place already: call Frame.needsChecksum too");
        }
        if (!features.has(side.checksum)) {
            throw unable(Offloads.NEEDS_CHECKSUM, features.notInUse(side.checksum));
        }
        int start = frame.checksumStart();
        int offset = frame.checksumOffset();
        // It was so when the frame was told, but may have been made shorter since.
        if (start < 0 || start + offset > frame.length() - Short.BYTES) {
            throw new DoorbellException(name + ": a checksum at byte " + start + " + " + offset
                    + " is not within a frame of " + frame.length() + " bytes");
        }
        int gsoType = NetHeader.GSO_NONE;
        int gsoSize = 0;
        int headers = 0;
        if ((offloads & Offloads.SEGMENT) != 0) {
            gsoType = gsoType(frame);
            gsoSize = frame.segmentSize();
            headers = frame.segmentHeader();
            checkCut(frame, headers, gsoSize);
        }
        long firstFields = NetHeader.NEEDS_CSUM
                | shifted(gsoType, NetHeader.GSO_TYPE)
                | shifted(headers, NetHeader.HDR_LEN)
                | shifted(gsoSize, NetHeader.GSO_SIZE)
                | shifted(start, NetHeader.CSUM_START);
        memory.set(LittleEndian.PLAIN_LONG, at, firstFields);
        memory.set(LittleEndian.PLAIN_SHORT, at + NetHeader.CSUM_OFFSET, (short) offset);
        if (header > NetHeader.LEGACY_BYTES) {
            memory.set(LittleEndian.PLAIN_SHORT, at + NetHeader.NUM_BUFFERS, (short) 0);
        }
    }

    /** Puts a field that starts at byte {@code at} where it is in a word. */
    private static long shifted(long field, int at) {
        return field << (Byte.SIZE * at);
    }

    private int gsoType(Frame frame) {
        return switch (frame.segmentation()) {
            case TCP4 -> allowed(side.tcp4, NetHeader.GSO_TCPV4) | congestion(frame);
            case TCP6 -> allowed(side.tcp6, NetHeader.GSO_TCPV6) | congestion(frame);
            case UDP -> allowed(isIpv6(frame) ? side.udp6 : side.udp4, NetHeader.GSO_UDP_L4);
        };
    }

    private static boolean isIpv6(Frame frame) {
        return frame.getShort(ETHER_TYPE) == IPV6;
    }

    private int allowed(Feature feature, int gsoType) {
        if (!features.has(feature)) {
            throw unable(Offloads.SEGMENT, features.notInUse(feature));
        }
        return gsoType;
    }

    /** The frame's TCP header says itself whether it is one of those that want a device which knows congestion flags. */
    private int congestion(Frame frame) {
        int flags = frame.checksumStart() + TCP_FLAGS;
        if (flags >= frame.length() || (frame.getByte(flags) & TCP_CWR) == 0) {
            return 0;
        }
        if (!features.has(side.ecn)) {
            throw unable(Offloads.SEGMENT, "it has the TCP flag CWR, and " + features.notInUse(side.ecn));
        }
        return NetHeader.GSO_ECN;
    }

    private void checkCut(Frame frame, int headers, int size) {
        if (headers < 1 || headers > frame.length() || size > 0xffff) {
            throw new DoorbellException(name + ": a frame of " + frame.length() + " bytes cannot be cut into pieces of "
                    + size + " bytes behind a header of " + headers);
        }
    }

    private DoorbellException unable(int offload, String why) {
        return new DoorbellException(name + ": cannot do for a frame what is asked: " + Offloads.toString(offload)
                + ", since " + why + "; do it in software and call Frame.clearOffloads");
    }
}
