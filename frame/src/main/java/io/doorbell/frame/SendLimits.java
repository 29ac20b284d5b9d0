package io.doorbell.frame;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a frame may be, and ask for, so that {@link TxQueue#send} takes it and does not throw. Leave {@link
 * FramePool#HEADROOM} in front of it, as pools and NICs do: some put a header of their own there.
 *
 * @param offloads bits of {@link Offloads} that a frame may ask for: of NEEDS_CHECKSUM, VLAN_TAG, SEGMENT, MORE_SEGMENTS and
 *     TIME_STAMP and NEEDS_CRC32C those that the NIC does; a frame that asks for SEGMENT has to ask for NEEDS_CHECKSUM too
 * @param segmentations by which rules the NIC segments; empty if it does not
 * @param segmentsCwr whether it segments TCP that has the flag CWR, which belongs into the first segment only (RFC 3168)
 * @param shortest bytes, in the first slot
 * @param longest bytes of a frame that is not to be segmented, in one slot or in several
 * @param longestSegmented bytes of a frame that is; 0 if the NIC does not segment
 * @param slots slots of a batch that a frame may take, at least 1
 */
public record SendLimits(
        int offloads,
        Set<Segmentation> segmentations,
        boolean segmentsCwr,
        int shortest,
        int longest,
        int longestSegmented,
        int slots) {

    private static final int ASKED = Offloads.NEEDS_CHECKSUM
            | Offloads.VLAN_TAG
            | Offloads.SEGMENT
            | Offloads.MORE_SEGMENTS
            | Offloads.TIME_STAMP
            | Offloads.NEEDS_CRC32C;

    /** Bytes of payload in a segment: no device has more than 16 bits for it. */
    private static final int LARGEST_SEGMENT = 0xffff;

    private static final int TCP_FLAGS = 13;
    private static final int TCP_CWR = 0x80;

    /** Copies the set. */
    public SendLimits {
        segmentations = segmentations.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(segmentations));
    }

    /** Of a NIC that does nothing but move frames, each in one slot. */
    public static SendLimits plain(int shortest, int longest) {
        return new SendLimits(0, Set.of(), false, shortest, longest, 0, 1);
    }

    /**
     * Whether the frame that starts in slot {@code index} keeps to them, and what is said of it can be true: its last slot
     * does not go on, none of its slots is empty, and the checksum is to be put within its first slot. This does not ask
     * whether the NIC knows the frame's pool.
     */
    public boolean allow(FrameBatch batch, int index) {
        Frame first = batch.frame(index);
        int asked = first.offloads() & ASKED;
        int bytes = first.length();
        if (asked == 0) {
            return bytes >= shortest && bytes <= longest;
        }
        if ((asked & ~offloads) != 0 || bytes < shortest) {
            return false;
        }
        if ((asked & Offloads.MORE_SEGMENTS) != 0) {
            int taken = batch.slots(index);
            if (taken > slots || !areWhole(batch, index, taken)) {
                return false;
            }
            bytes = batch.length(index);
        }
        if ((asked & (Offloads.NEEDS_CHECKSUM | Offloads.NEEDS_CRC32C)) != 0 && !holdsChecksum(first)) {
            return false;
        }
        return (asked & Offloads.SEGMENT) == 0 ? bytes <= longest : bytes <= longestSegmented && maySegment(first);
    }

    private static boolean areWhole(FrameBatch batch, int index, int slots) {
        for (int i = index; i < index + slots; i++) {
            if (batch.frame(i).length() == 0) {
                return false;
            }
        }
        return !batch.frame(index + slots - 1).continues();
    }

    /** It was so when the frame was told, but that may have been made shorter since, or its start moved. */
    private static boolean holdsChecksum(Frame first) {
        int start = first.checksumStart();
        int bytes = (first.offloads() & Offloads.NEEDS_CRC32C) != 0 ? Integer.BYTES : Short.BYTES;
        return start >= 0 && start <= first.length() - first.checksumOffset() - bytes;
    }

    private boolean maySegment(Frame first) {
        Segmentation segmentation = first.segmentation();
        int headers = first.segmentHeader();
        return segmentations.contains(segmentation)
                && (first.offloads() & Offloads.NEEDS_CHECKSUM) != 0
                && headers > 0
                && headers <= first.length()
                && first.segmentSize() <= LARGEST_SEGMENT
                && (segmentsCwr || segmentation == Segmentation.UDP || !hasCwr(first));
    }

    private static boolean hasCwr(Frame first) {
        int flags = first.checksumStart() + TCP_FLAGS;
        return flags < first.length() && (first.getByte(flags) & TCP_CWR) != 0;
    }
}
