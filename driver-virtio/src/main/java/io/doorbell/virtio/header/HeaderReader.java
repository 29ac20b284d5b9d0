package io.doorbell.virtio.header;

import io.doorbell.frame.Frame;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads the headers (5.1.6.4) of frames that have arrived: first whether one says anything, then what. Belongs to one
 * receive queue.
 *
 * <p>What is in a header may come from a neighbour of the device, as it is on its way to us; and the device may write to it
 * at any time. So each value is read once, checked, and used as it was read.
 */
final class HeaderReader {

    private static final int FLAGS_AND_TYPE = 0xffff;

    // To find the end of the headers.
    private static final int TCP_HEADER_WORDS = 12;
    private static final int TCP_SHORTEST = 20;
    private static final int UDP_HEADER = 8;

    /** Whether a header can say anything. */
    final boolean inspects;

    private final MemorySegment memory;
    private final int header;
    private final boolean mergeable;
    private final boolean hashed;

    /** Of a header's first word, what makes a frame other than plain. */
    private final int asked;

    /** A bit for each gso_type that was agreed on. */
    private final int segmentations;

    // What the header says that was read last: some of HASH, CHECKSUM_GOOD, NEEDS_CHECKSUM and SEGMENT, and of each
    // what belongs to it.
    private int offloads;
    private int hash;
    private int checksumStart;
    private int checksumOffset;
    private Segmentation segmentation = Segmentation.UDP;
    private int segmentHeader;
    private int segmentSize;

    /**
     * @param memory that the headers are in
     * @param header bytes in each
     * @param side which of the two receives
     */
    HeaderReader(MemorySegment memory, int header, OffloadSide side, Features features) {
        this.memory = memory;
        this.header = header;
        this.mergeable = side == OffloadSide.DRIVER && features.has(Feature.VIRTIO_NET_F_MRG_RXBUF);
        this.asked = features.has(side.checksum) ? FLAGS_AND_TYPE : 0;
        this.hashed = side == OffloadSide.DRIVER && features.has(Feature.VIRTIO_NET_F_HASH_REPORT);
        this.inspects = mergeable || hashed || asked != 0;
        this.segmentations = segmentations(side, features);
    }

    private static int segmentations(OffloadSide side, Features features) {
        boolean udp = features.has(side.udp4) || features.has(side.udp6);
        return (features.has(side.tcp4) ? 1 << NetHeader.GSO_TCPV4 : 0)
                | (features.has(side.tcp6) ? 1 << NetHeader.GSO_TCPV6 : 0)
                | (udp ? 1 << NetHeader.GSO_UDP_L4 : 0);
    }

    /** Whether the header at {@code at} says nothing, of a frame in one buffer. */
    boolean isPlain(long at) {
        return (memory.get(LittleEndian.PLAIN_INT, at) & asked) == 0
                && (!mergeable || memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.NUM_BUFFERS) == 1)
                && (!hashed || hashReport(at) == NetHeader.HASH_REPORT_NONE);
    }

    /** How many buffers the frame has, as the device wrote it: 0 to 65535. */
    int buffers(long at) {
        return mergeable ? Short.toUnsignedInt(memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.NUM_BUFFERS)) : 1;
    }

    private int hashReport(long at) {
        return memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.HASH_REPORT);
    }

    /**
     * Reads what the header says of the frame behind it, for {@link #describe}.
     *
     * @param length bytes of the frame in its first buffer
     * @return false if that cannot be
     */
    boolean read(long at, int length) {
        offloads = 0;
        if (hashed && hashReport(at) != NetHeader.HASH_REPORT_NONE) {
            hash = memory.get(LittleEndian.PLAIN_INT, at + NetHeader.HASH_VALUE);
            offloads |= Offloads.HASH;
        }
        if (asked == 0) {
            return true;
        }
        long fields = memory.get(LittleEndian.PLAIN_LONG, at);
        int flags = field(fields, NetHeader.FLAGS) & 0xff;
        int gsoType = field(fields, NetHeader.GSO_TYPE) & 0xff & ~NetHeader.GSO_ECN;
        if ((flags & NetHeader.NEEDS_CSUM) != 0) {
            checksumStart = field(fields, NetHeader.CSUM_START);
            checksumOffset = Short.toUnsignedInt(memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.CSUM_OFFSET));
            if (checksumStart + checksumOffset > length - Short.BYTES) {
                return false;
            }
            offloads |= Offloads.NEEDS_CHECKSUM;
        } else if ((flags & NetHeader.DATA_VALID) != 0) {
            offloads |= Offloads.CHECKSUM_GOOD;
        }
        return gsoType == NetHeader.GSO_NONE
                || readCut(at + header, length, gsoType, field(fields, NetHeader.GSO_SIZE));
    }

    /** The 16 bits that start at byte {@code at} of a word. */
    private static int field(long word, int at) {
        return (int) (word >>> (Byte.SIZE * at)) & 0xffff;
    }

    /** @param frame where it starts */
    private boolean readCut(long frame, int length, int gsoType, int size) {
        // A frame to be cut has a checksum to be completed, in each of its pieces (5.1.6.4.1).
        boolean agreed = gsoType < Integer.SIZE && (segmentations >>> gsoType & 1) != 0;
        if (!agreed || size == 0 || (offloads & Offloads.NEEDS_CHECKSUM) == 0) {
            return false;
        }
        segmentation = switch (gsoType) {
            case NetHeader.GSO_TCPV4 -> Segmentation.TCP4;
            case NetHeader.GSO_TCPV6 -> Segmentation.TCP6;
            default -> Segmentation.UDP;
        };
        segmentHeader = endOfHeaders(frame, length);
        segmentSize = size;
        offloads |= Offloads.SEGMENT;
        return segmentHeader <= length;
    }

    /** Bytes up to the end of the transport header, which is where summing starts. */
    private int endOfHeaders(long frame, int length) {
        // hdr_len would say it too, but is not to be relied on (5.1.6.4.2).
        if (segmentation == Segmentation.UDP) {
            return checksumStart + UDP_HEADER;
        }
        if (checksumStart + TCP_SHORTEST > length) {
            return checksumStart + TCP_SHORTEST;
        }
        int words = memory.get(ValueLayout.JAVA_BYTE, frame + checksumStart + TCP_HEADER_WORDS) >>> 4 & 0xf;
        return checksumStart + Math.max(TCP_SHORTEST, words * Integer.BYTES);
    }

    /** Tells a frame what its header says, which was read last. */
    void describe(Frame frame) {
        if ((offloads & Offloads.HASH) != 0) {
            frame.hash(hash);
        }
        if ((offloads & Offloads.NEEDS_CHECKSUM) != 0) {
            frame.needsChecksum(checksumStart, checksumOffset);
        }
        if ((offloads & Offloads.SEGMENT) != 0) {
            frame.segment(segmentation, segmentHeader, segmentSize);
        }
        frame.addOffloads(offloads & Offloads.CHECKSUM_GOOD);
    }
}
