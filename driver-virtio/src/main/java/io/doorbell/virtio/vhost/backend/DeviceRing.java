package io.doorbell.virtio.vhost.backend;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A virtqueue seen from the device's side, in memory that a driver in another process may change at any moment. So each
 * field is read once, checked, and used as it was read.
 *
 * <p>A buffer is taken with {@link #take}, which adds its parts behind those already there, and given back with
 * {@link #put}, in the same order; {@link #publish} lets the driver see what has been given back. The parts are what the
 * descriptors point to, indirect ones resolved, and are all within shared memory.
 *
 * <p>Belongs to one thread at a time.
 */
public abstract class DeviceRing {

    /** Descriptors, and parts, of all buffers of one frame. No frame has more than 64 KiB, so that none needs more. */
    static final int MOST_PARTS = 1024;

    /** After so many descriptors a poll comes to its end, however little they brought: the driver wrote them, not us. */
    static final int MOST_A_POLL = 4 * MOST_PARTS;

    static final int DESCRIPTOR = 16;

    // Flags of descriptors (2.7.5, 2.8.6); of the others each layout has its own.
    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    final String name;
    final int size;
    final VhostMemory memory;
    final boolean eventIndex;
    final boolean inOrder;
    private final boolean indirect;

    // The parts, side by side.
    final MemorySegment[] segments = new MemorySegment[MOST_PARTS];
    final long[] offsets = new long[MOST_PARTS];
    public final int[] lengths = new int[MOST_PARTS];
    int parts;

    /** Descriptors that were read for them: more than the parts where some have no bytes. */
    int pieces;

    /** Bytes in all parts. */
    long bytes;

    /** What {@link #put} is to be told of the buffer that was taken last. */
    public int id;

    /** Ring entries that it takes up. */
    public int entries;

    private int region;

    DeviceRing(String name, int size, VhostMemory memory, Features features) {
        this.name = name;
        this.size = size;
        this.memory = memory;
        this.eventIndex = features.has(Feature.VIRTIO_F_EVENT_IDX);
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.indirect = features.has(Feature.VIRTIO_F_INDIRECT_DESC);
    }

    /** Tells the driver that it need not ring the doorbell: this side polls. */
    abstract void start();

    /**
     * Takes the next buffer that the driver has made available.
     *
     * @param writable whether it must be one that the device writes into; else one that it reads
     * @return false when there is none
     * @throws BrokenDeviceException when what the driver wrote cannot be
     */
    public abstract boolean take(boolean writable);

    /** Gives a buffer back, into which so many bytes were written. */
    public abstract void put(int id, int entries, int written);

    /** Shows the driver what was put, all at once; returns whether it asks to be interrupted for that. */
    public abstract boolean publish();

    /**
     * Takes all buffers that the driver has made available, up to {@code most}, and gives them back without a look at what
     * they describe; a frame is in one. {@link #publish} is to follow.
     *
     * @param written bytes that were written into each
     * @return how many there were
     */
    public abstract int useAll(int most, int written);

    /** Where {@link #take} would go on; {@link #rewind} goes back there. */
    abstract int mark();

    /** Untakes buffers that have not been put. */
    abstract void rewind(int mark);

    /**
     * Finds out where a device before this one stopped, in a ring that the front-end may know less of than it says: one
     * that was killed could not tell. To be called before {@link #start}.
     */
    abstract void resume();

    /** Where another device would have to go on, as GET_VRING_BASE has it. */
    abstract int base();

    public final void clear() {
        parts = 0;
        pieces = 0;
        bytes = 0;
    }

    /**
     * Adds what a descriptor describes.
     *
     * @param canBeTable whether it may be an indirect one, by where it is in its chain
     */
    final void describe(long address, int length, int flags, boolean writable, boolean canBeTable) {
        if ((flags & INDIRECT) != 0) {
            // None goes on behind a table (2.7.5.3.1, 2.8.19).
            if (!canBeTable || (flags & NEXT) != 0) {
                throw malformed("a table of indirect descriptors within a chain");
            }
            describeIndirect(address, length, writable);
        } else {
            add(address, length, (flags & WRITE) != 0, writable);
        }
    }

    private void describeIndirect(long address, int length, boolean writable) {
        if (!indirect) {
            throw malformed(
                    "an indirect descriptor, although " + Feature.VIRTIO_F_INDIRECT_DESC + " was not agreed on");
        }
        int found = memory.find(address, region);
        if (length <= 0
                || length % DESCRIPTOR != 0
                || length / DESCRIPTOR > MOST_PARTS
                || found < 0
                || memory.size(found) - memory.offset(found, address) < length) {
            throw malformed(String.format(
                    "a table of indirect descriptors at 0x%x of %s bytes, which is no table in shared memory",
                    address, Integer.toUnsignedString(length)));
        }
        region = found;
        walkTable(memory.segment(found), memory.offset(found, address), length / DESCRIPTOR, writable);
    }

    /** Adds what a table of indirect descriptors describes; it lies at an offset that need not be aligned. */
    abstract void walkTable(MemorySegment table, long offset, int descriptors, boolean writable);

    /** Adds a piece of memory, which may extend over regions that are neighbours. */
    final void add(long address, int length, boolean isWritable, boolean mustBeWritable) {
        if (isWritable != mustBeWritable) {
            throw malformed("a buffer that the device is to " + (isWritable ? "write" : "read")
                    + " in a queue where it " + (isWritable ? "reads" : "writes"));
        }
        long left = Integer.toUnsignedLong(length);
        if (left == 0) {
            count();
        }
        long at = address;
        while (left > 0) {
            count();
            int found = memory.find(at, region);
            if (found < 0) {
                throw malformed(String.format(
                        "a buffer at 0x%x of %d bytes, which is not in the memory that it shares",
                        address, Integer.toUnsignedLong(length)));
            }
            region = found;
            long offset = memory.offset(found, at);
            // A part is an int long: what is beyond 2 GiB is another part.
            int part = (int) Math.min(Math.min(left, memory.size(found) - offset), Integer.MAX_VALUE);
            segments[parts] = memory.segment(found);
            offsets[parts] = offset;
            lengths[parts] = part;
            parts++;
            bytes += part;
            left -= part;
            at += part;
        }
    }

    /** One without bytes counts, too: it takes time to read. */
    private void count() {
        if (pieces == MOST_PARTS) {
            throw malformed("a buffer in more than " + MOST_PARTS + " pieces");
        }
        pieces++;
    }

    /** Copies bytes out of the parts, from position {@code from} on; there are that many. */
    final void copyOut(long from, MemorySegment to, long toOffset, int count) {
        long skip = from;
        long at = toOffset;
        int left = count;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(left, lengths[i] - skip);
            MemorySegment.copy(segments[i], offsets[i] + skip, to, at, piece);
            at += piece;
            left -= piece;
            skip = 0;
        }
    }

    /** Copies bytes into the parts, from position {@code to} on; there is room. */
    final void copyIn(MemorySegment from, long fromOffset, long to, int count) {
        long skip = to;
        long at = fromOffset;
        int left = count;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(left, lengths[i] - skip);
            MemorySegment.copy(from, at, segments[i], offsets[i] + skip, piece);
            at += piece;
            left -= piece;
            skip = 0;
        }
    }

    /** Between showing what was used and asking whether the driver wants to hear of it (2.7.7.2, 2.8.14). */
    static void fence() {
        // The driver sets its wish, then looks at the ring once more; we do the reverse. Without a full fence between
        // store and load each could miss the other's.
        VarHandle.fullFence();
    }

    final BrokenDeviceException malformed(String what) {
        return new BrokenDeviceException(name + ": the front-end made available " + what);
    }
}
