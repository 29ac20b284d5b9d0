package io.doorbell.virtio.queue;

import static io.doorbell.virtio.spec.LittleEndian.INT;
import static io.doorbell.virtio.spec.LittleEndian.PLAIN_LONG;
import static io.doorbell.virtio.spec.LittleEndian.SHORT;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The memory of a split virtqueue (2.7), and who may tell whom when. One region holds, at offset
 *
 * <pre>
 *   0          descriptor table: size × { address (64) | length (32) | flags (16) | next (16) }
 *   16 size    available ring: flags (16) | index (16) | size × id (16) | used_event (16)
 *   used       used ring: flags (16) | index (16) | size × { id (32) | length (32) } | avail_event (16)
 * </pre>
 *
 * <p>Ring indices are free-running ints here; their low 16 bits are what the ring shows, and {@code & mask} makes a
 * position of them. A frame takes one descriptor. {@code ids} says which descriptor goes into each position next: it is
 * the queue of free ones, whose head is the available index and whose tail is the used index, one lap ahead. A device
 * that works in order therefore always finds the same id in the same position, and the available ring is written once.
 */
public final class SplitRing {

    public static final int DESCRIPTOR = 16;
    /** VIRTQ_DESC_F_WRITE: the device writes. Shifted to where it is in a descriptor's second word. */
    static final long WRITE = 2L << 32;

    /** VIRTQ_DESC_F_INDIRECT: the buffer is a table of descriptors. */
    static final long INDIRECT = 4L << 32;

    /** VIRTQ_DESC_F_NEXT: the buffer goes on where another descriptor says. */
    private static final long NEXT = 1L << 32;

    private static final int NEXT_SHIFT = 48;

    private static final int ELEMENT = 8;
    /** The used ring starts on a page, as legacy devices have it (2.7.2); for others that is as good as any place. */
    private static final int USED_ALIGNMENT = 4096;

    private static final int AVAIL_FLAGS = 0;
    private static final int AVAIL_INDEX = 2;
    private static final int AVAIL_RING = 4;
    private static final short NO_INTERRUPT = 1;

    private static final int USED_INDEX = 2;
    private static final int USED_RING = 4;
    private static final int NO_NOTIFY = 1;

    final int size;
    final int mask;
    final MemorySegment memory;
    final int[] ids;

    private final DmaRegion region;
    private final long available;
    private final long used;
    private final boolean eventIndex;
    private final QueueCounters counters;
    private Doorbell doorbell = () -> {};

    /** The available index when the device was last told, or would have been if it had asked. */
    private int announced;

    /**
     * @param size a power of two, up to 32768
     * @param eventIndex whether VIRTIO_F_EVENT_IDX is used
     */
    SplitRing(DmaSpace space, int size, boolean eventIndex, QueueCounters counters) {
        this.size = size;
        this.mask = size - 1;
        this.available = (long) size * DESCRIPTOR;
        this.used = (available + AVAIL_RING + 2L * size + 2 + USED_ALIGNMENT - 1) & -USED_ALIGNMENT;
        this.region = space.allocate(used + USED_RING + (long) size * ELEMENT + 2);
        this.memory = region.segment();
        this.ids = new int[size];
        this.eventIndex = eventIndex;
        this.counters = counters;
    }

    QueueAddresses addresses() {
        long start = region.deviceAddress();
        return new QueueAddresses(size, start, start + available, start + used);
    }

    void prepare() {
        memory.fill((byte) 0);
        for (int i = 0; i < size; i++) {
            ids[i] = i;
            SHORT.setOpaque(memory, available + AVAIL_RING + 2L * i, (short) i);
        }
        refuseInterrupts(0);
    }

    void discard() {
        region.close();
    }

    void start(Doorbell doorbell) {
        this.doorbell = doorbell;
        announced = 0;
    }

    /** With EVENT_IDX, the flag is of no use (2.7.7.1): ask for an interrupt as far ahead as the index can tell. */
    void deferInterrupts(int usedIndex) {
        if (eventIndex) {
            SHORT.setOpaque(memory, available + AVAIL_RING + 2L * size, (short) (usedIndex - 1));
        }
    }

    /**
     * Asks the device to interrupt when it has used more than {@code usedIndex} buffers, or as soon as it uses any; look
     * once more then.
     */
    void askInterrupts(int usedIndex) {
        if (eventIndex) {
            SHORT.setOpaque(memory, available + AVAIL_RING + 2L * size, (short) usedIndex);
        } else {
            SHORT.setOpaque(memory, available + AVAIL_FLAGS, (short) 0);
        }
        // The device writes its index, then looks at our wish; we do the reverse (2.7.7.1).
        VarHandle.fullFence();
    }

    /** Undoes {@link #askInterrupts}. */
    void refuseInterrupts(int usedIndex) {
        if (eventIndex) {
            deferInterrupts(usedIndex);
        } else {
            SHORT.setOpaque(memory, available + AVAIL_FLAGS, NO_INTERRUPT);
        }
    }

    /** How many buffers the device has used since the used index was {@code seen}: what it claims, 0 to 65535. */
    int usedSince(int seen) {
        // Acquire: the device wrote entries and frames before the index, so they are to be read after it (2.7.8.2).
        return ((short) SHORT.getAcquire(memory, used + USED_INDEX) - seen) & 0xffff;
    }

    /** The id in a used entry, as the device wrote it: any 32 bits. */
    int usedId(int position) {
        return (int) INT.getOpaque(memory, used + USED_RING + (long) position * ELEMENT);
    }

    /** A used entry, as the device wrote it and {@link #readUsed} has it. */
    long usedEntry(int position) {
        return memory.get(PLAIN_LONG, used + USED_RING + (long) position * ELEMENT);
    }

    /**
     * Reads used entries in a row, as the device wrote them: any 64 bits, the id in the low half, the length in the high
     * half. They are valid up to {@link #usedSince}.
     *
     * @param position of the first; none is behind the ring's end
     * @param entries receives them; each is read once
     */
    void readUsed(int position, int count, long[] entries) {
        final MemorySegment memory = this.memory;
        final long at = used + USED_RING + (long) position * ELEMENT;
        for (int i = 0; i < count; i++) {
            // Plainly, as they are not aligned to 8 bytes: nothing changes entries that the index has passed.
            entries[i] = memory.get(PLAIN_LONG, at + (long) i * ELEMENT);
        }
    }

    // Plain stores to descriptors that the device cannot get at yet: the release store of the index comes last.

    void setDescriptorAddress(int id, long deviceAddress) {
        memory.set(PLAIN_LONG, (long) id * DESCRIPTOR, deviceAddress);
    }

    /** What a descriptor's second word has beside the length if the buffer goes on in that of {@code id}. */
    static long chained(int id) {
        return NEXT | (long) id << NEXT_SHIFT;
    }

    /** Writes all of a descriptor but its address: length, flags and next. */
    void setDescriptorRest(int id, long lengthAndFlags) {
        memory.set(PLAIN_LONG, (long) id * DESCRIPTOR + 8, lengthAndFlags);
    }

    /**
     * Takes note that the device gave a descriptor back in another order. It has long read the position's entry in the
     * available ring: it took at least as many entries as it has used.
     */
    void reorder(int position, int id) {
        ids[position] = id;
        SHORT.setOpaque(memory, available + AVAIL_RING + 2L * position, (short) id);
    }

    /** Makes all buffers up to {@code index} available. */
    void publish(int index) {
        // Release: the device finds descriptors and entries whole when it sees the new index (2.7.13.3).
        SHORT.setRelease(memory, available + AVAIL_INDEX, (short) index);
    }

    /** Tells the device that the buffers up to {@code index} are available, if it asks for that. */
    void notifyDevice(int index) {
        // The device sets its wish, then looks at the index once more; we do the reverse. Without a full fence between
        // store and load each could miss the other's (2.7.13.4.1).
        VarHandle.fullFence();
        if (deviceAsks(index)) {
            counters.kicks++;
            doorbell.ring();
        }
        announced = index;
    }

    /**
     * As {@link #notifyDevice}, but not at once: with {@link #notifyNow}, or when half a ring is pending. For buffers to receive into:
     * a device that waits for them has no others, so that its queue runs empty, and that is early enough. While frames
     * come, the fence in {@link #notifyDevice}, for which all stores before must have reached the cache, is saved.
     */
    void deferNotify(int index) {
        if (index - announced >= size / 2) {
            notifyDevice(index);
        }
    }

    /** Tells of what is pending. */
    void notifyNow(int index) {
        if (index != announced) {
            notifyDevice(index);
        }
    }

    private boolean deviceAsks(int index) {
        if (eventIndex) {
            int event = (short) SHORT.getOpaque(memory, used + USED_RING + (long) size * ELEMENT);
            // Whether the index has just passed the event (2.7.10).
            return ((index - event - 1) & 0xffff) < ((index - announced) & 0xffff);
        }
        return ((short) SHORT.getOpaque(memory, used) & NO_NOTIFY) == 0;
    }
}
