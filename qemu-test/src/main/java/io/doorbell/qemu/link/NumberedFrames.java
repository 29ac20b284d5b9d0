package io.doorbell.qemu.link;

import static java.nio.ByteOrder.BIG_ENDIAN;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Test frames every byte of which is known: a frame's number decides its length, and its header decides its payload. So
 * no byte can change on the way, and no two frames can be taken for each other, without its being noticed.
 *
 * <pre>
 *  0  destination   6 bytes
 *  6  source        6
 * 12  EtherType     2    0x88B5, for local experiments (IEEE 802)
 * 14  kind          2    numbered, acknowledgement or reminder
 * 16  number        8    numbered: this frame's; else: how many numbered frames the sender has sent
 * 24  acknowledged  8    the sender has accounted for all numbers of the other direction below this one
 * 32  payload            words that the 32 bytes before them determine, to the end of the frame
 * </pre>
 *
 * <p>Fields are big-endian. Nothing here allocates or keeps state; any thread may call it. A frame lies in a segment at
 * an offset, neither of which need be aligned.
 */
public final class NumberedFrames {

    public static final int MIN_LENGTH = 60;
    public static final int MAX_LENGTH = 1514;

    static final int NUMBERED = 0x4e75;
    static final int ACKNOWLEDGEMENT = 0x4163;
    public static final int REMINDER = 0x5265;

    private static final int ETHERTYPE = 0x88b5;
    private static final int ETHERTYPE_AT = 12;
    private static final int KIND_AT = 14;
    private static final int NUMBER_AT = 16;
    private static final int ACKNOWLEDGED_AT = 24;
    private static final int PAYLOAD_AT = 32;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfLong FIELD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

    /** The golden ratio's fraction in 64 bits, odd: multiples of it differ in every byte soon and repeat late. */
    private static final long STEP = 0x9e37_79b9_7f4a_7c15L;

    private NumberedFrames() {}

    /** Length in bytes of the frame with this number: all from {@link #MIN_LENGTH} to {@link #MAX_LENGTH} come up. */
    public static int length(long number) {
        return MIN_LENGTH + (int) Long.remainderUnsigned(mix(number), MAX_LENGTH - MIN_LENGTH + 1);
    }

    /**
     * Writes a numbered frame of {@link #length(long)} bytes.
     *
     * @param destination the 48 bits of a MAC address, the first byte on the wire being the most significant
     * @param source likewise
     */
    public static void write(
            MemorySegment segment, long offset, long destination, long source, long number, long acknowledged) {
        write(segment, offset, length(number), destination, source, NUMBERED, number, acknowledged);
    }

    /** Writes a frame of any kind. */
    public static void write(
            MemorySegment segment,
            long offset,
            int length,
            long destination,
            long source,
            int kind,
            long number,
            long acknowledged) {
        segment.set(FIELD, offset, destination << 16 | source >>> 32);
        segment.set(FIELD, offset + 8, source << 32 | (long) ETHERTYPE << 16 | kind);
        segment.set(FIELD, offset + NUMBER_AT, number);
        segment.set(FIELD, offset + ACKNOWLEDGED_AT, acknowledged);
        long word = seed(segment, offset);
        long at = offset + PAYLOAD_AT;
        long end = offset + length;
        for (; at <= end - Long.BYTES; at += Long.BYTES) {
            segment.set(WORD, at, word);
            word += STEP;
        }
        for (; at < end; at++) {
            segment.set(ValueLayout.JAVA_BYTE, at, (byte) word);
            word >>>= Byte.SIZE;
        }
    }

    /**
     * Whether it is, or was before it was damaged, a frame of this class. The EtherType or the kind may be damaged, not
     * both.
     */
    public static boolean isOurs(MemorySegment segment, long offset, int length) {
        if (length < PAYLOAD_AT) {
            return length >= ETHERTYPE_AT + Short.BYTES && unsigned(segment, offset + ETHERTYPE_AT) == ETHERTYPE;
        }
        return unsigned(segment, offset + ETHERTYPE_AT) == ETHERTYPE || isKind(kind(segment, offset));
    }

    /** Whether every byte of a frame that {@link #isOurs} is as it was sent, and none is missing or added. */
    public static boolean isIntact(MemorySegment segment, long offset, int length) {
        if (length < MIN_LENGTH || unsigned(segment, offset + ETHERTYPE_AT) != ETHERTYPE) {
            return false;
        }
        int kind = kind(segment, offset);
        int expected = kind == NUMBERED ? length(number(segment, offset)) : MIN_LENGTH;
        return isKind(kind) && length == expected && payloadMatches(segment, offset, length);
    }

    private static boolean payloadMatches(MemorySegment segment, long offset, int length) {
        long word = seed(segment, offset);
        long at = offset + PAYLOAD_AT;
        long end = offset + length;
        for (; at <= end - Long.BYTES; at += Long.BYTES) {
            if (segment.get(WORD, at) != word) {
                return false;
            }
            word += STEP;
        }
        for (; at < end; at++) {
            if (segment.get(ValueLayout.JAVA_BYTE, at) != (byte) word) {
                return false;
            }
            word >>>= Byte.SIZE;
        }
        return true;
    }

    static int kind(MemorySegment segment, long offset) {
        return unsigned(segment, offset + KIND_AT);
    }

    /** The number field of an intact frame. */
    public static long number(MemorySegment segment, long offset) {
        return segment.get(FIELD, offset + NUMBER_AT);
    }

    /** The acknowledgement in an intact frame. */
    public static long acknowledged(MemorySegment segment, long offset) {
        return segment.get(FIELD, offset + ACKNOWLEDGED_AT);
    }

    private static boolean isKind(int kind) {
        return kind == NUMBERED || kind == ACKNOWLEDGEMENT || kind == REMINDER;
    }

    private static int unsigned(MemorySegment segment, long at) {
        return Short.toUnsignedInt(segment.get(SHORT, at));
    }

    /** Each step is a bijection, so damage to one of the four words always leads to another seed. */
    private static long seed(MemorySegment segment, long offset) {
        long seed = mix(segment.get(FIELD, offset));
        seed = mix(seed ^ segment.get(FIELD, offset + 8));
        seed = mix(seed ^ segment.get(FIELD, offset + NUMBER_AT));
        return mix(seed ^ segment.get(FIELD, offset + ACKNOWLEDGED_AT));
    }

    /** Spreads a change of any bit over all 64. */
    private static long mix(long value) {
        long mixed = (value + STEP) * 0xd6e8_feb8_6659_fd93L;
        mixed = (mixed ^ mixed >>> 32) * 0xd6e8_feb8_6659_fd93L;
        return mixed ^ mixed >>> 32;
    }
}
