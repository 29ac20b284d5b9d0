package io.doorbell.virtio.queue;

import static io.doorbell.virtio.spec.LittleEndian.ALIGNED_LONG;
import static io.doorbell.virtio.spec.LittleEndian.INT;
import static io.doorbell.virtio.spec.LittleEndian.LONG;
import static io.doorbell.virtio.spec.LittleEndian.PLAIN_LONG;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The memory of a packed virtqueue (2.8), and who may tell whom when. One region holds the descriptors, 16 bytes each,
 * and, a cache line each, what driver and device say of notifications: offset and wrap counter (16) | flags (16).
 *
 * <p>A descriptor is
 *
 * <pre>
 *   0  address of the buffer
 *   8  length (32) | id (16) | flags (16: NEXT 0, WRITE 1, INDIRECT 2, AVAIL 7, USED 15)
 * </pre>
 *
 * <p>Both sides go round the ring, and count their rounds with one bit, the wrap counter, which starts at 1. A descriptor
 * is available if AVAIL is the driver's counter and USED is not; it is used if both are the device's counter. The second
 * word says all, so one load reads a used descriptor and one store makes one available.
 *
 * <p>{@code ids} says which buffer id goes into each position next: it is the queue of free ones. A device that works in
 * order always finds the same id in the same position.
 */
public final class PackedRing {

    public static final int DESCRIPTOR = 16;
    static final long WRITE = 2L << 48;
    static final long INDIRECT = 4L << 48;
    static final long NEXT = 1L << 48;
    public static final int ID_SHIFT = 32;
    public static final int ID_MASK = 0xffff;

    /** Going round the end flips both, in what the driver writes and in what it expects of the device. */
    public static final long FLAGS = (1L << (48 + 7)) | (1L << (48 + 15));

    public static final long AVAILABLE_AT_FIRST = 1L << (48 + 7);
    public static final long USED_AT_FIRST = FLAGS;

    private static final int CACHE_LINE = 64;

    // Event suppression structures (2.8.14): offset and wrap counter in the low half, flags in the high half.
    private static final int EVENTS_ENABLE = 0;
    private static final int EVENTS_DISABLE = 1 << 16;
    private static final int EVENTS_DESC = 2;
    private static final int EVENT_OFFSET = 0x7fff;
    private static final int EVENT_WRAP = 15;

    final int size;
    final MemorySegment memory;
    final int[] ids;

    private final DmaRegion region;
    private final long driverEvents;
    private final long deviceEvents;
    private final boolean eventIndex;
    private final QueueCounters counters;
    private Doorbell doorbell = () -> {};

    /** Buffers that the device can see and has not been told of, and what it is to be told. */
    private int pending;

    private int pendingNext;
    private long pendingFlags;

    /**
     * @param size any, up to 32768
     * @param eventIndex whether VIRTIO_F_EVENT_IDX is used
     */
    PackedRing(DmaSpace space, int size, boolean eventIndex, QueueCounters counters) {
        this.size = size;
        this.driverEvents = ((long) size * DESCRIPTOR + CACHE_LINE - 1) & -CACHE_LINE;
        this.deviceEvents = driverEvents + CACHE_LINE;
        this.region = space.allocate(deviceEvents + CACHE_LINE);
        this.memory = region.segment();
        this.ids = new int[size];
        this.eventIndex = eventIndex;
        this.counters = counters;
    }

    QueueAddresses addresses() {
        long start = region.deviceAddress();
        return new QueueAddresses(size, start, start + driverEvents, start + deviceEvents);
    }

    void prepare() {
        memory.fill((byte) 0);
        for (int i = 0; i < size; i++) {
            ids[i] = i;
        }
        refuseInterrupts();
    }

    /** Asks the device to interrupt when it uses a buffer; look once more then. */
    void askInterrupts() {
        INT.setOpaque(memory, driverEvents, EVENTS_ENABLE);
        // The device writes a descriptor, then looks at our wish; we do the reverse (2.8.14).
        VarHandle.fullFence();
    }

    /** Undoes {@link #askInterrupts}. */
    void refuseInterrupts() {
        INT.setOpaque(memory, driverEvents, EVENTS_DISABLE);
    }

    void discard() {
        region.close();
    }

    void start(Doorbell doorbell) {
        this.doorbell = doorbell;
        pending = 0;
    }

    /** Length, id and flags of the descriptor at this position, as the device may have written them. */
    long word(int position) {
        // Acquire: the device wrote the frame before the flags, so it is to be read after them (2.8.21.1).
        return (long) LONG.getAcquire(memory, (long) position * DESCRIPTOR + 8);
    }

    /**
     * Reads the second words of descriptors that the device has used, in a row.
     *
     * @param position of the first
     * @param flags as used descriptors have them there
     * @param most how many to look at; none behind the ring's end
     * @param words receives them; each is read once
     * @return how many are used
     */
    int used(int position, long flags, int most, long[] words) {
        if (most == 0 || ((words[0] = word(position)) & FLAGS) != flags) {
            return 0;
        }
        final MemorySegment memory = this.memory;
        int count = 1;
        for (long at = (long) position * DESCRIPTOR + 8; count < most; count++) {
            // Plainly, since it is read once: opaque loads would keep the compiler from joining the checks of a loop.
            long word = memory.get(ALIGNED_LONG, at + (long) count * DESCRIPTOR);
            if ((word & FLAGS) != flags) {
                break;
            }
            words[count] = word;
        }
        // As in word(), once for all.
        VarHandle.acquireFence();
        return count;
    }

    // Plain stores to descriptors that the device cannot get at yet, since the first one of them is not available yet:
    // the release store that makes it so comes last.

    void setAddress(int position, long deviceAddress) {
        memory.set(PLAIN_LONG, (long) position * DESCRIPTOR, deviceAddress);
    }

    void setWord(int position, long word) {
        memory.set(PLAIN_LONG, (long) position * DESCRIPTOR + 8, word);
    }

    /** Makes a descriptor available, and those behind it that have been written. */
    void publish(int position, long word) {
        // Release: the device finds addresses, and the descriptors behind, when it sees the flags (2.8.21.1).
        LONG.setRelease(memory, (long) position * DESCRIPTOR + 8, word);
    }

    /**
     * Tells the device of new buffers, if it asks for that.
     *
     * @param next the position behind the last new one
     * @param count how many are new
     * @param flags what the driver writes now: AVAIL is its wrap counter
     */
    void notifyDevice(int next, int count, long flags) {
        // The device sets its wish, then looks at the ring once more; we do the reverse. Without a full fence between
        // store and load each could miss the other's (2.8.21.3.1).
        VarHandle.fullFence();
        if (deviceAsks(next, count, flags)) {
            counters.kicks++;
            doorbell.ring();
        }
    }

    /**
     * As {@link #notifyDevice}, but not at once: with {@link #notifyNow}, or when half a ring is pending. For buffers to receive into:
     * a device that waits for them has no others, so that its queue runs empty, and that is early enough. While frames
     * come, the fence in {@link #notifyDevice}, for which all stores before must have reached the cache, is saved.
     */
    void deferNotify(int next, int count, long flags) {
        pending += count;
        pendingNext = next;
        pendingFlags = flags;
        if (pending >= size / 2) {
            notifyNow();
        }
    }

    /** Tells of what is pending. */
    void notifyNow() {
        if (pending > 0) {
            notifyDevice(pendingNext, pending, pendingFlags);
            pending = 0;
        }
    }

    /**
     * Tells a device that may have missed what it was told, or not have asked for it. QEMU 10's leaves its event offset
     * where it was when its network could take no more, goes on once it can, and by that offset is not to be told of what
     * comes then.
     */
    void tellAnyway() {
        counters.kicks++;
        doorbell.ring();
    }

    private boolean deviceAsks(int next, int count, long flags) {
        int events = (int) INT.getOpaque(memory, deviceEvents);
        int mode = events >>> 16;
        if (!eventIndex || mode != EVENTS_DESC) {
            return mode != EVENTS_DISABLE >>> 16;
        }
        int event = events & EVENT_OFFSET;
        int wrap = (flags & AVAILABLE_AT_FIRST) != 0 ? 1 : 0;
        if ((events >>> EVENT_WRAP & 1) != wrap) {
            event -= size; // it is in the round before
        }
        // Whether the position has just passed the event (2.8.14).
        return ((next - event - 1) & 0xffff) < count;
    }
}
