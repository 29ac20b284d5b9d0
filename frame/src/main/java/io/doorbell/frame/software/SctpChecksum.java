package io.doorbell.frame.software;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import java.util.zip.CRC32C;

/** The CRC-32C of an SCTP packet (RFC 9260, 6.8 and appendix A), whose lowest byte goes first. */
public final class SctpChecksum {

    private SctpChecksum() {}

    /**
     * Puts the CRC in place that was left undone.
     *
     * @param index the frame's first slot, in which the SCTP header is
     * @param start where that is
     * @param offset where the CRC goes, in bytes from {@code start}
     */
    public static void complete(FrameBatch batch, int index, int start, int offset) {
        Frame first = batch.frame(index);
        first.setInt(start + offset, 0);
        CRC32C crc = new CRC32C();
        int end = index + batch.slots(index);
        int from = start;
        for (int i = index; i < end; i++) {
            Frame slot = batch.frame(i);
            if (from < slot.length()) {
                crc.update(slot.asSegment().asSlice(from).asByteBuffer());
            }
            from = Math.max(0, from - slot.length());
        }
        first.setInt(start + offset, Integer.reverseBytes((int) crc.getValue()));
    }
}
