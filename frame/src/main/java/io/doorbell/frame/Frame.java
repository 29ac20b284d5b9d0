package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One slot of a {@link FrameBatch}, and the Ethernet frame in it: destination address first, without preamble and
 * without frame check sequence.
 *
 * <p>The frame is the application's for as long as it stays in the batch. When it is sent or released, or moves to
 * another batch, this object is an empty slot again, and any use of it throws {@link IllegalStateException}. Because a
 * frame is in one slot at a time, it cannot be released twice.
 *
 * <p>Its bytes go with its pool: where a NIC had one of its own, they are gone when the NIC is closed, and reading or
 * writing them throws {@link NicClosedException}. The frame can still be released.
 *
 * <p>Multi-byte values are in network byte order, as they go over the wire. Positions count in bytes from the start of
 * the frame and are checked against its length.
 *
 * <p>Belongs to the thread that owns the batch.
 */
public final class Frame {

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** The length of an empty slot, so that the check of a position finds out without another look. */
    private static final int EMPTY = -1;

    /** Bytes in two MAC addresses. */
    private static final int ADDRESSES = 12;

    /**
     * Beside the bits of {@link Offloads}: {@link #tag} has a value. A fresh frame's bits are all cleared anyhow, so that a
     * tag costs nothing where frames are received.
     */
    private static final int TAGGED = 1 << 31;

    /** Where the CRC is in an SCTP header (RFC 9260, 3.1). */
    private static final int SCTP_CHECKSUM = 8;

    /** What is not of the frame's content, and stays when offloads are cleared. */
    private static final int NO_OFFLOADS = Offloads.MORE_SEGMENTS | TAGGED;

    /**
     * In an empty slot, that of an earlier frame, or null. References are written only where they change: for each, the
     * garbage collector has to take note.
     */
    @Nullable
    FramePool pool;

    /** That pool's memory; no access is within its bounds before there is a pool. */
    private MemorySegment memory = MemorySegment.NULL;

    /** Which of the pool's buffers; with the pool, the frame's identity. */
    int buffer;

    /** Where the frame starts within the buffer, in bytes. */
    int offset;

    /** Bytes in the frame; {@link #EMPTY} in an empty slot. */
    int length = EMPTY;

    /** Bits of {@link Offloads}, and {@link #TAGGED}; what the fields below hold is valid where the bit is set. */
    private int offloads;

    private int checksumStart;
    // Two that are narrow, so that a slot takes one cache line's worth of memory.
    private char checksumOffset;
    private char vlanTag;
    private Segmentation segmentation = Segmentation.TCP4;
    private int segmentSize;
    private int segmentHeader;
    private int hash;
    private int tag;

    Frame() {}

    void fill(FramePool pool, int buffer, int offset, int length) {
        if (this.pool != pool) {
            this.pool = pool;
            this.memory = pool.memory();
        }
        this.buffer = buffer;
        this.offset = offset;
        this.length = length;
        this.offloads = 0;
    }

    /** Becomes the copy of another slot's frame, in a buffer that its bytes fit into; with as much headroom, or what is left. */
    void fillFrom(Frame source) {
        offset = Math.min(source.offset, owned().bufferSize() - source.length);
        copyFrom(source);
        offloads |= source.offloads & Offloads.MORE_SEGMENTS;
    }

    /** Takes over the frame of another slot, which is empty then. */
    void take(Frame other) {
        fill(other.pool(), other.buffer, other.offset, other.length);
        describeAs(other);
        offloads = other.offloads;
        other.clear();
    }

    /** Takes over what goes with the bits of {@link #offloads}. */
    private void describeAs(Frame other) {
        checksumStart = other.checksumStart;
        checksumOffset = other.checksumOffset;
        segmentation = other.segmentation;
        segmentSize = other.segmentSize;
        segmentHeader = other.segmentHeader;
        vlanTag = other.vlanTag;
        hash = other.hash;
        tag = other.tag;
    }

    void clear() {
        length = EMPTY;
    }

    /** Bytes in the frame. */
    public int length() {
        owned();
        return length;
    }

    /**
     * Makes the frame longer or shorter at its end; new bytes are what the buffer last held.
     *
     * @param bytes 0 to what the buffer has behind the frame's start
     */
    public void length(int bytes) {
        int room = owned().bufferSize() - offset;
        if (bytes < 0 || bytes > room) {
            throw new DoorbellException("a frame of " + bytes + " bytes does not fit: its buffer has room for " + room
                    + "; ask for larger buffers with NicConfig.withBufferSize");
        }
        length = bytes;
    }

    /** Bytes free in front of the frame. */
    public int headroom() {
        owned();
        return offset;
    }

    /**
     * Moves the frame's start: forward to strip a header, backward to make room for one.
     *
     * @param bytes how far, from −{@link #headroom()} to {@link #length()}
     */
    public void moveStart(int bytes) {
        owned();
        if (bytes > length || bytes < -offset) {
            throw new DoorbellException("cannot move a frame's start by " + bytes + " bytes: it has " + offset
                    + " bytes of headroom and " + length + " of length");
        }
        offset += bytes;
        length -= bytes;
        checksumStart -= bytes;
        segmentHeader -= bytes;
    }

    /**
     * For drivers: moves the frame's bytes towards the end of its buffer, so that there is more headroom. What is known of
     * the frame or asked for it stays.
     *
     * @param bytes how far, at least 0
     */
    public void addHeadroom(int bytes) {
        int room = owned().bufferSize() - offset - length;
        if (bytes < 0 || bytes > room) {
            throw new DoorbellException("cannot move a frame of " + length + " bytes by " + bytes
                    + " bytes: behind it, its buffer has " + room + " bytes");
        }
        try {
            // Copies as if through a buffer of its own, so that the two may overlap.
            MemorySegment.copy(memory, start(), memory, start() + bytes, length);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
        offset += bytes;
    }

    /** The memory of the whole pool, in which this frame lies at {@link #position()}. No object is made. */
    public MemorySegment memory() {
        owned();
        return memory;
    }

    /** Where the frame starts within {@link #memory()}, in bytes. */
    public long position() {
        owned();
        return start();
    }

    /**
     * The frame's bytes as a segment of their own, for code that works on segments; nothing is reachable through it beyond
     * the frame as it is now. This makes an object: where every frame passes, use the accessors, or {@link #memory()}.
     *
     * <p>Use it only while the frame is this slot's, and has not moved its start or end. Afterwards the segment goes on
     * to show the buffer, whose bytes may by then be those of another frame, or a device may be writing them: nothing
     * catches that. The segment becomes invalid only with the pool's memory.
     */
    public MemorySegment asSegment() {
        owned();
        return memory.asSlice(start(), length);
    }

    public byte getByte(int index) {
        final long at = at(index, Byte.BYTES);
        try {
            return memory.get(BYTE, at);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public short getShort(int index) {
        final long at = at(index, Short.BYTES);
        try {
            return memory.get(SHORT, at);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public int getInt(int index) {
        final long at = at(index, Integer.BYTES);
        try {
            return memory.get(INT, at);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public long getLong(int index) {
        final long at = at(index, Long.BYTES);
        try {
            return memory.get(LONG, at);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /** As {@link #getByte}, from 0 to 255. */
    public int getUnsignedByte(int index) {
        return Byte.toUnsignedInt(getByte(index));
    }

    /** As {@link #getShort}, from 0 to 65535. */
    public int getUnsignedShort(int index) {
        return Short.toUnsignedInt(getShort(index));
    }

    /** As {@link #getInt}, from 0 to 2<sup>32</sup> − 1. */
    public long getUnsignedInt(int index) {
        return Integer.toUnsignedLong(getInt(index));
    }

    public void setByte(int index, byte value) {
        final long at = at(index, Byte.BYTES);
        try {
            memory.set(BYTE, at, value);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public void setShort(int index, short value) {
        final long at = at(index, Short.BYTES);
        try {
            memory.set(SHORT, at, value);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public void setInt(int index, int value) {
        final long at = at(index, Integer.BYTES);
        try {
            memory.set(INT, at, value);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    public void setLong(int index, long value) {
        final long at = at(index, Long.BYTES);
        try {
            memory.set(LONG, at, value);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /**
     * Copies {@code count} bytes of the frame, from {@code index} on, to {@code target}, from byte {@code offset} on.
     *
     * @throws IndexOutOfBoundsException when they are not within the frame, or not within {@code target}
     */
    public void getBytes(int index, MemorySegment target, long offset, int count) {
        final long at = atRange(index, count);
        Objects.checkFromIndexSize(offset, count, target.byteSize());
        try {
            MemorySegment.copy(memory, at, target, offset, count);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /**
     * Overwrites {@code count} bytes of the frame, from {@code index} on, with those of {@code source} from byte
     * {@code offset} on. The frame's length stays: set it first.
     *
     * @throws IndexOutOfBoundsException when they are not within the frame, or not within {@code source}
     */
    public void setBytes(int index, MemorySegment source, long offset, int count) {
        final long at = atRange(index, count);
        Objects.checkFromIndexSize(offset, count, source.byteSize());
        try {
            MemorySegment.copy(source, offset, memory, at, count);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /**
     * Makes the frame a copy of another one, which stays as it is: bytes, length, {@link #tag}, and what is known of it or
     * asked for it ({@link #offloads}). The two may be of different pools.
     *
     * <p>The frame stays in its buffer, and starts there where it did: its headroom is its own. It copies one slot.
     * Whether a slot goes on in the next one is its batch's business, so {@link #continues} stays as it was:
     * {@link FrameBatch#copyTo} copies a frame of several slots.
     *
     * @throws DoorbellException when the other frame is longer than what the buffer has behind this one's start; nothing
     *     has changed then
     */
    public void copyFrom(Frame source) {
        final MemorySegment from = source.memory();
        length(source.length);
        try {
            MemorySegment.copy(from, source.start(), memory, start(), source.length);
        } catch (IllegalStateException e) {
            throw source.explain(explain(e));
        }
        describeAs(source);
        offloads = (source.offloads & ~Offloads.MORE_SEGMENTS) | (offloads & Offloads.MORE_SEGMENTS);
    }

    /** Makes the frame a copy of {@code source}; its headroom, and what is known of it, stay. */
    public void copyFrom(byte[] source) {
        length(source.length);
        try {
            MemorySegment.copy(source, 0, memory, BYTE, start(), source.length);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /** The frame's bytes in a new array. */
    public byte[] toByteArray() {
        byte[] copy = new byte[length()];
        try {
            MemorySegment.copy(memory, BYTE, start(), copy, 0, copy.length);
        } catch (IllegalStateException e) {
            throw explain(e);
        }
        return copy;
    }

    /** The MAC address at {@code index}: 0 is the destination's, 6 the source's. */
    public MacAddress getMac(int index) {
        return new MacAddress(((getShort(index) & 0xffffL) << 32) | (getInt(index + 2) & 0xffff_ffffL));
    }

    public void setMac(int index, MacAddress address) {
        setShort(index, (short) (address.value() >>> 32));
        setInt(index + 2, (int) address.value());
    }

    /** Exchanges the destination address and the source address, as a reply to the sender needs it. */
    public void swapMacs() {
        final MemorySegment memory = this.memory;
        final long at = at(0, ADDRESSES);
        try {
            // Six bytes of destination and two of source, then the other four of source.
            long first = memory.get(LONG, at);
            int last = memory.get(INT, at + Long.BYTES);
            memory.set(LONG, at, first << 48 | (last & 0xffff_ffffL) << 16 | first >>> 48);
            memory.set(INT, at + Long.BYTES, (int) (first >>> 16));
        } catch (IllegalStateException e) {
            throw explain(e);
        }
    }

    /**
     * A number of the application's, such as the port that the frame came in by; 0 in a frame that was just received or
     * allocated. It goes with the frame to other batches, and with its copies. Drivers do not look at it.
     */
    public int tag() {
        owned();
        return (offloads & TAGGED) == 0 ? 0 : tag;
    }

    /** See {@link #tag()}. Of a frame that takes several slots, each slot has its own. */
    public void tag(int value) {
        owned();
        tag = value;
        offloads |= TAGGED;
    }

    /** What is known of the frame, or asked for it: bits of {@link Offloads}. A fresh frame has none. */
    public int offloads() {
        owned();
        return offloads & ~TAGGED;
    }

    /** Forgets what was known of the frame or asked for it; its tag, and that it goes on in the next slot, stay. */
    public void clearOffloads() {
        owned();
        offloads &= NO_OFFLOADS;
    }

    /** Forgets some of what is known of the frame or asked for it: for who has done it in software. */
    public void clearOffloads(int bits) {
        owned();
        offloads &= ~bits | NO_OFFLOADS;
    }

    /** Whether the frame goes on in the batch's next slot ({@link Offloads#MORE_SEGMENTS}). */
    public boolean continues() {
        owned();
        return (offloads & Offloads.MORE_SEGMENTS) != 0;
    }

    /** For drivers: sets bits that need no value beside them, {@link Offloads#CHECKSUM_GOOD} and such. */
    public void addOffloads(int bits) {
        owned();
        offloads |= bits & ~TAGGED;
    }

    /**
     * Leaves the checksum to the NIC ({@link Offloads#NEEDS_CHECKSUM}): it sums up the bytes from {@code start} to the
     * end of the frame and puts the result where {@code offset} says. What stands there before takes part in the sum: the
     * checksum of the pseudo header belongs there for TCP and UDP.
     *
     * @param start where summing starts, in bytes from the start of the frame: the transport header
     * @param offset where the checksum goes, in bytes from {@code start}: 16 for TCP, 6 for UDP
     */
    public void needsChecksum(int start, int offset) {
        owned();
        if (start < 0 || offset < 0 || (long) start + offset > length - Short.BYTES) {
            throw new DoorbellException(
                    "a checksum at byte " + start + " + " + offset + " is not within a frame of " + length + " bytes");
        }
        checksumStart = start;
        checksumOffset = (char) offset; // a buffer has up to 65536 bytes
        offloads = (offloads & ~Offloads.NEEDS_CRC32C) | Offloads.NEEDS_CHECKSUM;
    }

    /**
     * Leaves the CRC-32C of an SCTP packet to the NIC ({@link Offloads#NEEDS_CRC32C}): it is made of the bytes from {@code start} to
     * the end of the frame, its own place taken for 0, and goes 8 bytes behind {@code start}.
     *
     * @param start where the SCTP header is, in bytes from the start of the frame
     */
    public void needsCrc32c(int start) {
        owned();
        if (start < 0 || (long) start + SCTP_CHECKSUM > length - Integer.BYTES) {
            throw new DoorbellException(
                    "an SCTP header at byte " + start + " is not within a frame of " + length + " bytes");
        }
        checksumStart = start;
        checksumOffset = (char) SCTP_CHECKSUM;
        offloads = (offloads & ~Offloads.NEEDS_CHECKSUM) | Offloads.NEEDS_CRC32C;
    }

    /**
     * Where summing starts, in bytes from the start of the frame; with {@link Offloads#NEEDS_CHECKSUM} or
     * {@link Offloads#NEEDS_CRC32C}.
     */
    public int checksumStart() {
        known(Offloads.NEEDS_CHECKSUM | Offloads.NEEDS_CRC32C);
        return checksumStart;
    }

    /** Where the checksum goes, in bytes from {@link #checksumStart}; as that. */
    public int checksumOffset() {
        known(Offloads.NEEDS_CHECKSUM | Offloads.NEEDS_CRC32C);
        return checksumOffset;
    }

    /**
     * Has the NIC cut the frame into smaller ones ({@link Offloads#SEGMENT}), each with the headers in front and at most
     * {@code size} bytes of payload. Needs {@link #needsChecksum} too.
     *
     * @param header bytes of headers, up to the end of the transport header, that go before each piece
     * @param size bytes of payload in each piece but the last, at least 1; a driver refuses to send what its device cannot
     */
    public void segment(Segmentation by, int header, int size) {
        owned();
        if (header < 1 || header > length || size < 1) {
            throw new DoorbellException("a frame of " + length + " bytes cannot be cut into pieces of " + size
                    + " bytes behind a header of " + header);
        }
        segmentation = Objects.requireNonNull(by, "by");
        segmentHeader = header;
        segmentSize = size;
        offloads |= Offloads.SEGMENT;
    }

    /** By which rules the frame is to be cut, or was put together; with {@link Offloads#SEGMENT}. */
    public Segmentation segmentation() {
        known(Offloads.SEGMENT);
        return segmentation;
    }

    /** Bytes of payload in each piece but the last; with {@link Offloads#SEGMENT}. */
    public int segmentSize() {
        known(Offloads.SEGMENT);
        return segmentSize;
    }

    /** Bytes of headers that go before each piece; with {@link Offloads#SEGMENT}. */
    public int segmentHeader() {
        known(Offloads.SEGMENT);
        return segmentHeader;
    }

    /** The tag control information: priority (3 bits), DEI (1), VLAN id (12); with {@link Offloads#VLAN_TAG}. */
    public int vlanTag() {
        known(Offloads.VLAN_TAG);
        return vlanTag;
    }

    /**
     * Has the NIC insert a VLAN tag (IEEE 802.1Q), or says that it has stripped one.
     *
     * @param tag its control information, 16 bits
     */
    public void vlanTag(int tag) {
        owned();
        if (tag >>> 16 != 0) {
            throw new DoorbellException(
                    "a VLAN tag's control information has 16 bits, not 0x" + Integer.toHexString(tag));
        }
        vlanTag = (char) tag;
        offloads |= Offloads.VLAN_TAG;
    }

    /**
     * Has the NIC note when the frame leaves ({@link Offloads#TIME_STAMP}), for who asks then
     * ({@link io.doorbell.frame.ability.PtpClock#takeTxStamp}). A NIC without a clock refuses the frame.
     */
    public void needsTimeStamp() {
        owned();
        offloads |= Offloads.TIME_STAMP;
    }

    /** The hash that spreads flows over queues; with {@link Offloads#HASH}. */
    public int hash() {
        known(Offloads.HASH);
        return hash;
    }

    /** For drivers: the hash that the NIC reported. */
    public void hash(int value) {
        owned();
        hash = value;
        offloads |= Offloads.HASH;
    }

    private void known(int offload) {
        owned();
        if ((offloads & offload) == 0) {
            throw new IllegalStateException("the frame has no " + Offloads.toString(offload) + ", only "
                    + Offloads.toString(offloads()) + ": ask offloads() first");
        }
    }

    /** The pool that the frame's buffer comes from. */
    public FramePool pool() {
        return owned();
    }

    /** For drivers: the buffer's number within {@link #pool()}. */
    public int buffer() {
        owned();
        return buffer;
    }

    /** Where in the memory the frame has these bytes. */
    private long at(int index, int bytes) {
        if (index < 0 || index > length - bytes) {
            throw outside(index, bytes);
        }
        return start() + index;
    }

    /** As {@link #at}, for a number of bytes that the application chose. */
    private long atRange(int index, int bytes) {
        if (bytes < 0) {
            throw outside(index, bytes);
        }
        return at(index, bytes);
    }

    /** Where the frame starts within the memory. */
    private long start() {
        return FramePool.start(buffer) + offset;
    }

    private RuntimeException outside(int index, int bytes) {
        owned();
        return new IndexOutOfBoundsException(
                bytes + " bytes at " + index + " are not within a frame of " + length + " bytes");
    }

    private FramePool owned() {
        FramePool pool = this.pool;
        if (length < 0 || pool == null) {
            throw notYours();
        }
        return pool;
    }

    /** An access to memory has failed, as it does when the pool is closed: then the message says which. */
    private IllegalStateException explain(IllegalStateException failure) {
        FramePool pool = this.pool;
        return pool == null ? failure : pool.explain(failure);
    }

    private static IllegalStateException notYours() {
        return new IllegalStateException(
                "this frame was sent, released or moved to another batch, and is not yours any more");
    }

    @Override
    public String toString() {
        return length < 0 ? "an empty slot" : "a frame of " + length + " bytes";
    }
}
