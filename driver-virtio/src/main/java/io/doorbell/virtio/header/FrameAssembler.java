package io.doorbell.virtio.header;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.Segmentation;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/**
 * Makes frames of the buffers that a device has filled, where they are other than plain: in several buffers, or with
 * something to be said of them in the header (5.1.6.4). Belongs to one receive queue.
 *
 * <p>What is in a header may come from a neighbour of the device, as it is on its way to us. So a value that cannot be
 * costs this one frame, which is dropped and counted, and not the queue.
 */
public final class FrameAssembler {

    private static final int FLAGS_AND_TYPE = 0xffff;

    // To find the end of the headers.
    private static final int TCP_HEADER_WORDS = 12;
    private static final int TCP_SHORTEST = 20;
    private static final int UDP_HEADER = 8;

    /** Whether the header of each frame must be looked at. */
    public final boolean inspectsHeader;

    private final RxBuffers source;
    private final FramePool pool;
    private final MemorySegment memory;
    private final int header;
    private final boolean mergeable;
    private final boolean hashed;

    /** Of a header's first word, what makes a frame other than plain. */
    private final int asked;

    /** A bit for each gso_type that was agreed on. */
    private final int segmentations;

    private final QueueCounters counters;

    /** The buffers of the frame at hand, and how many bytes the device has put into each. */
    private final int[] buffers;

    private final int[] lengths;
    private int count;

    /**
     * @param most buffers that a frame can have
     * @param side which of the two receives
     */
    public FrameAssembler(RxBuffers source, int most, OffloadSide side, Features features, QueueCounters counters) {
        this.source = source;
        this.pool = source.pool();
        this.memory = pool.memory();
        this.header = source.header();
        this.mergeable = side == OffloadSide.DRIVER && features.has(Feature.VIRTIO_NET_F_MRG_RXBUF);
        this.asked = features.has(side.checksum) ? FLAGS_AND_TYPE : 0;
        this.hashed = side == OffloadSide.DRIVER && features.has(Feature.VIRTIO_NET_F_HASH_REPORT);
        this.inspectsHeader = mergeable || hashed || asked != 0;
        this.segmentations = segmentations(side, features);
        this.counters = counters;
        this.buffers = new int[most];
        this.lengths = new int[most];
    }

    private static int segmentations(OffloadSide side, Features features) {
        boolean udp = features.has(side.udp4) || features.has(side.udp6);
        return (features.has(side.tcp4) ? 1 << NetHeader.GSO_TCPV4 : 0)
                | (features.has(side.tcp6) ? 1 << NetHeader.GSO_TCPV6 : 0)
                | (udp ? 1 << NetHeader.GSO_UDP_L4 : 0);
    }

    /** Whether the frame that starts in this buffer has no other one, and a header that says nothing. */
    public boolean isPlain(int buffer) {
        long at = header(buffer);
        return (memory.get(LittleEndian.PLAIN_INT, at) & asked) == 0
                && (!mergeable || memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.NUM_BUFFERS) == 1)
                && (!hashed || hashReport(at) == NetHeader.HASH_REPORT_NONE);
    }

    /** How many buffers the frame has that starts in this one, as the device wrote it: 0 to 65535. */
    public int buffers(int buffer) {
        return mergeable
                ? Short.toUnsignedInt(memory.get(LittleEndian.PLAIN_SHORT, header(buffer) + NetHeader.NUM_BUFFERS))
                : 1;
    }

    private int hashReport(long at) {
        return memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.HASH_REPORT);
    }

    private long header(int buffer) {
        return pool.position(buffer) + FramePool.HEADROOM - header;
    }

    /**
     * Adds a buffer to the frame at hand.
     *
     * @param length bytes of the frame in it, which have been checked against its room
     */
    public void add(int buffer, int length) {
        buffers[count] = buffer;
        lengths[count] = length;
        count++;
    }

    /** Bytes of the next buffer to be added that are not the frame's: only the first one starts with a header (5.1.6.4). */
    public int notFrame() {
        return count == 0 ? header : 0;
    }

    /** Forgets the frame at hand; its buffers are left to the caller, who knows of them. */
    public void forget() {
        count = 0;
    }

    /**
     * Puts the frame into the batch; or drops it, where the batch can never hold it, its Ethernet header is not whole, or
     * the device's cannot be.
     */
    public void deliver(FrameBatch batch) {
        if (count > batch.remaining() || lengths[0] < FrameLength.SHORTEST) {
            counters.errors++;
            pool.free(buffers, 0, count);
            count = 0;
            return;
        }
        int at = batch.size();
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            Frame slot = batch.append(pool, buffers[i], i == 0 ? FramePool.HEADROOM : source.start(), lengths[i]);
            bytes += lengths[i];
            if (i < count - 1) {
                slot.addOffloads(Offloads.MORE_SEGMENTS);
            }
        }
        count = 0;
        if (describe(batch.frame(at))) {
            counters.frames++;
            counters.bytes += bytes;
        } else {
            counters.errors++;
            batch.release(at);
        }
    }

    /** Tells of a frame what its header says; returns false if that cannot be. */
    private boolean describe(Frame frame) {
        long at = frame.position() - header;
        if (hashed && hashReport(at) != NetHeader.HASH_REPORT_NONE) {
            frame.hash(memory.get(LittleEndian.PLAIN_INT, at + NetHeader.HASH_VALUE));
        }
        if (asked == 0) {
            return true;
        }
        // Each value is read once, checked, and used as it was read: the device may write at any time.
        long fields = memory.get(LittleEndian.PLAIN_LONG, at);
        int flags = field(fields, NetHeader.FLAGS) & 0xff;
        int gsoType = field(fields, NetHeader.GSO_TYPE) & 0xff & ~NetHeader.GSO_ECN;
        if ((flags & NetHeader.NEEDS_CSUM) != 0) {
            int start = field(fields, NetHeader.CSUM_START);
            int offset = Short.toUnsignedInt(memory.get(LittleEndian.PLAIN_SHORT, at + NetHeader.CSUM_OFFSET));
            if (start + offset > frame.length() - Short.BYTES) {
                return false;
            }
            frame.needsChecksum(start, offset);
        } else if ((flags & NetHeader.DATA_VALID) != 0) {
            frame.addOffloads(Offloads.CHECKSUM_GOOD);
        }
        return gsoType == NetHeader.GSO_NONE || describeCut(frame, gsoType, field(fields, NetHeader.GSO_SIZE));
    }

    /** The 16 bits that start at byte {@code at} of a word. */
    private static int field(long word, int at) {
        return (int) (word >>> (Byte.SIZE * at)) & 0xffff;
    }

    private boolean describeCut(Frame frame, int gsoType, int size) {
        // A frame to be cut has a checksum to be completed, in each of its pieces (5.1.6.4.1).
        boolean agreed = gsoType < Integer.SIZE && (segmentations >>> gsoType & 1) != 0;
        if (!agreed || size == 0 || (frame.offloads() & Offloads.NEEDS_CHECKSUM) == 0) {
            return false;
        }
        // hdr_len would say it too, but is not to be relied on (5.1.6.4.2).
        int headers = endOfHeaders(frame, gsoType == NetHeader.GSO_UDP_L4);
        if (headers > frame.length()) {
            return false;
        }
        Segmentation by = switch (gsoType) {
            case NetHeader.GSO_TCPV4 -> Segmentation.TCP4;
            case NetHeader.GSO_TCPV6 -> Segmentation.TCP6;
            default -> Segmentation.UDP;
        };
        frame.segment(by, headers, size);
        return true;
    }

    /** Bytes up to the end of the transport header, which is where summing starts. */
    private static int endOfHeaders(Frame frame, boolean udp) {
        int start = frame.checksumStart();
        if (udp || start + TCP_SHORTEST > frame.length()) {
            return start + (udp ? UDP_HEADER : TCP_SHORTEST);
        }
        int words = frame.getByte(start + TCP_HEADER_WORDS) >>> 4 & 0xf;
        return start + Math.max(TCP_SHORTEST, words * Integer.BYTES);
    }
}
