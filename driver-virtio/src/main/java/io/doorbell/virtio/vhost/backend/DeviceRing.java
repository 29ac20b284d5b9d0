package io.doorbell.virtio.vhost.backend;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A cursor over a virtqueue, from the device's side, in memory that a driver in another process may change at any moment.
 * So each field is read once, checked, and used as it was read.
 *
 * <p>{@link #take} moves it to the next buffer that the driver has made available: {@link #id} and {@link #entries} are
 * that one's, and what its descriptors point to, indirect ones resolved, is added to the {@link #parts}, all within shared
 * memory. A buffer is given back with {@link #put}, in the order in which they were taken; {@link #publish} lets the driver
 * see what has been given back.
 *
 * <p>Belongs to one thread at a time.
 */
public abstract class DeviceRing {

    /** After so many parts a poll comes to its end, however little they brought: the driver wrote them, not us. */
    static final int MOST_A_POLL = 4 * ScatterList.MOST_PARTS;

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

    private final ScatterList parts = new ScatterList();
    private int id;
    private int entries;

    /** Where the latest part was. */
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

    /** Asks the driver to ring the doorbell when it makes a buffer available; {@link #start} undoes that. */
    abstract void askKicks();

    /** Whether there is no buffer for {@link #take}, as far as that can be seen without looking at one. */
    abstract boolean isEmpty();

    /**
     * Takes the next buffer that the driver has made available, and adds its parts to the {@link #parts}.
     *
     * @param writable whether it must be one that the device writes into; else one that it reads
     * @return false when there is none
     * @throws BrokenDeviceException when what the driver wrote cannot be
     */
    abstract boolean take(boolean writable);

    /** What the ring calls the buffer that was taken last; {@link #put} is to be told. */
    final int id() {
        return id;
    }

    /** Ring entries that it takes up. */
    final int entries() {
        return entries;
    }

    /** The parts of the buffers that were taken since this list was cleared, which is whoever takes them to do. */
    final ScatterList parts() {
        return parts;
    }

    /** For the layouts: the cursor has moved. */
    final void taken(int id, int entries) {
        this.id = id;
        this.entries = entries;
    }

    /** Gives a buffer back, into which so many bytes were written. */
    abstract void put(int id, int entries, int written);

    /** Shows the driver what was put, all at once; returns whether it asks to be interrupted for that. */
    abstract boolean publish();

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
                || length / DESCRIPTOR > ScatterList.MOST_PARTS
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
            addPart(MemorySegment.NULL, 0, 0); // counts too: it takes time to read
        }
        long at = address;
        while (left > 0) {
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
            addPart(memory.segment(found), offset, part);
            left -= part;
            at += part;
        }
    }

    private void addPart(MemorySegment segment, long offset, int length) {
        if (parts.isFull()) {
            throw malformed("a buffer in more than " + ScatterList.MOST_PARTS + " pieces");
        }
        parts.add(segment, offset, length);
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
