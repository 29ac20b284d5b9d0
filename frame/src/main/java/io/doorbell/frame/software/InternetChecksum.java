package io.doorbell.frame.software;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The one's complement sum of 16-bit words (RFC 1071). Words are summed up in the order in which x86-64 reads them, which
 * gives the same sum with its bytes exchanged (RFC 1071, 2).
 */
public final class InternetChecksum {

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int MASK = 0xffff;
    private static final long LOW = 0xffff_ffffL;

    private InternetChecksum() {}

    /**
     * Puts a checksum in place that was left undone: that of all bytes of a frame from {@code start} on.
     *
     * @param index the frame's first slot, in which the checksum is
     * @param offset where it goes, in bytes from {@code start}; what stands there takes part in the sum
     */
    public static void complete(FrameBatch batch, int index, int start, int offset) {
        final int end = index + batch.slots(index);
        long sum = 0;
        int from = start;
        boolean odd = false;
        for (int i = index; i < end; i++) {
            Frame slot = batch.frame(i);
            int count = slot.length() - from;
            if (count <= 0) {
                from = -count;
                continue;
            }
            int part = sum(slot.memory(), slot.position() + from, count);
            sum += odd ? swapped(part) : part;
            odd ^= (count & 1) != 0;
            from = 0;
        }
        batch.frame(index).setShort(start + offset, notZero(~folded(sum)));
    }

    /** The checksum of so many bytes of a frame, in which the checksum's own place holds 0. */
    static short of(Frame frame, int start, int count) {
        return (short) swapped(~sum(frame.memory(), frame.position() + start, count));
    }

    /** A sum that was made in network order, with {@code change} more in it. */
    public static short adjusted(short sum, int change) {
        return (short) folded((sum & MASK) + (change & LOW));
    }

    /** In UDP, 0 says that there is no checksum; all ones are the same number (RFC 768). */
    private static short notZero(int checksum) {
        short value = (short) swapped(checksum);
        return value == 0 ? (short) MASK : value;
    }

    private static int sum(MemorySegment memory, long from, int count) {
        final long end = from + count;
        long sum = 0;
        long at = from;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            long word = memory.get(LONG, at);
            sum += (word & LOW) + (word >>> Integer.SIZE);
        }
        for (; at + Short.BYTES <= end; at += Short.BYTES) {
            sum += memory.get(SHORT, at) & MASK;
        }
        if (at < end) {
            sum += memory.get(ValueLayout.JAVA_BYTE, at) & 0xff;
        }
        return folded(sum);
    }

    /** A sum with its carries added to its 16 bits, of which there may be more than once over. */
    private static int folded(long sum) {
        long rest = (sum & LOW) + (sum >>> Integer.SIZE);
        while (rest > MASK) {
            rest = (rest & MASK) + (rest >>> Short.SIZE);
        }
        return (int) rest;
    }

    private static int swapped(int sum) {
        return ((sum & 0xff) << Byte.SIZE) | ((sum >>> Byte.SIZE) & 0xff);
    }
}
