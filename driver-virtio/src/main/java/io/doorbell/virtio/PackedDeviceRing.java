package io.doorbell.virtio;

import static io.doorbell.virtio.Words.INT;
import static io.doorbell.virtio.Words.LONG;

import java.lang.foreign.MemorySegment;

/**
 * The packed layout (2.8) from the device's side. A position counts twice round the ring: from 0 to twice its size, so
 * that it says the wrap counter too, which is 1 in the first round.
 */
final class PackedDeviceRing extends DeviceRing {

    private static final long AVAIL = 1L << (48 + 7);
    private static final long USED = 1L << (48 + 15);
    private static final long ID = 0xffffL << 32;
    private static final int EVENTS_DISABLE = 1;
    private static final int EVENTS_DESC = 2;
    private static final int EVENT_BYTES = 4;
    private static final int EVENT_OFFSET = 0x7fff;
    private static final int WRAP_BIT = 15;

    private final MemorySegment descriptors;
    private final MemorySegment driverEvents;
    private final MemorySegment deviceEvents;

    /** The next descriptor to be read. */
    private int next;
    /** The next descriptor to be written; up to there from {@code published} on, they wait to be shown. */
    private int put;

    private int published;

    /** Where the pending ones are, and what their second words are to be. */
    private final int[] pendingPositions;

    private final long[] pendingWords;
    private int pending;

    /**
     * @param size any, up to 32768
     * @param base position and wrap counter to start with, as SET_VRING_BASE has it
     */
    PackedDeviceRing(
            String name,
            int size,
            VhostMemory memory,
            Features features,
            long descriptorAddress,
            long driverAddress,
            long deviceAddress,
            int base) {
        super(name, size, memory, features);
        this.descriptors = memory.ring("descriptor ring", descriptorAddress, (long) size * DESCRIPTOR, DESCRIPTOR);
        this.driverEvents = memory.ring("driver event suppression", driverAddress, EVENT_BYTES, EVENT_BYTES);
        this.deviceEvents = memory.ring("device event suppression", deviceAddress, EVENT_BYTES, EVENT_BYTES);
        int position = base & EVENT_OFFSET;
        if (position >= size) {
            throw lie("a ring of " + size + " descriptors that starts at " + position);
        }
        this.next = (base >>> WRAP_BIT & 1) == 1 ? position : position + size;
        this.put = next;
        this.published = next;
        this.pendingPositions = new int[size];
        this.pendingWords = new long[size];
    }

    @Override
    void start() {
        INT.setOpaque(deviceEvents, 0, EVENTS_DISABLE << 16);
    }

    @Override
    boolean take(boolean writable) {
        final int room = size - distance(published, next);
        if (room == 0) {
            return false; // what comes now has been taken, and not been given back
        }
        // Acquire: the driver wrote the rest of the chain, and the frames, before the first flags (2.8.21.1).
        long word = (long) LONG.getAcquire(descriptors, (long) index(next) * DESCRIPTOR + 8);
        long flagsWhenAvailable = next < size ? AVAIL : USED;
        if ((word & (AVAIL | USED)) != flagsWhenAvailable) {
            return false;
        }
        int position = next;
        int length = 1;
        while (true) {
            int flags = (int) (word >>> 48);
            long address = (long) LONG.getOpaque(descriptors, (long) index(position) * DESCRIPTOR);
            describe(address, (int) word, flags, writable);
            position = advanced(position, 1);
            if ((flags & NEXT) == 0) {
                break;
            }
            if (++length > room) {
                throw lie("a chain from descriptor " + index(next) + " that has no end");
            }
            word = (long) LONG.getOpaque(descriptors, (long) index(position) * DESCRIPTOR + 8);
        }
        // The last descriptor of a chain says its id (2.8.6).
        id = (int) (word >>> 32) & 0xffff;
        entries = length;
        next = position;
        return true;
    }

    @Override
    void walkTable(MemorySegment table, long offset, int count, boolean writable) {
        // All descriptors of the table are used, in order; their ids and other flags mean nothing (2.8.7).
        for (int i = 0; i < count; i++) {
            long at = offset + (long) i * DESCRIPTOR;
            long word = table.get(Words.PLAIN_LONG, at + 8);
            int flags = (int) (word >>> 48);
            if ((flags & INDIRECT) != 0) {
                throw lie("an indirect table within an indirect table");
            }
            add(table.get(Words.PLAIN_LONG, at), (int) word, (flags & WRITE) != 0, writable);
        }
    }

    @Override
    void put(int id, int entries, int written) {
        long flags = put < size ? AVAIL | USED : 0;
        long write = written > 0 ? (long) WRITE << 48 : 0;
        pendingPositions[pending] = index(put);
        pendingWords[pending] = flags | write | (long) id << 32 | Integer.toUnsignedLong(written);
        pending++;
        put = advanced(put, entries);
    }

    @Override
    boolean publish() {
        if (pending == 0) {
            return false;
        }
        // The first comes last, and all with it: a frame in several buffers is there whole (2.8.8). Release: the driver
        // finds the frames when it sees the flags.
        for (int i = pending - 1; i >= 0; i--) {
            LONG.setRelease(descriptors, (long) pendingPositions[i] * DESCRIPTOR + 8, pendingWords[i]);
        }
        pending = 0;
        int news = distance(published, put);
        published = put;
        fence();
        return driverAsks(news);
    }

    private boolean driverAsks(int news) {
        int events = (int) INT.getOpaque(driverEvents, 0);
        int mode = events >>> 16 & 3;
        if (mode != EVENTS_DESC || !eventIndex) {
            return mode != EVENTS_DISABLE;
        }
        // Whether the position has just passed the event, in two rounds of the ring (2.8.14).
        int event = events & EVENT_OFFSET;
        int eventPosition = (events >>> WRAP_BIT & 1) == 1 ? event : event + size;
        return eventPosition < 2 * size && distance(eventPosition, advanced(put, 2 * size - 1)) < news;
    }

    @Override
    int useAll(int most, int written) {
        int count = 0;
        int limit = Math.min(most, size - distance(published, next));
        while (count < limit) {
            // Acquire: as in take().
            long word = (long) LONG.getAcquire(descriptors, (long) index(next) * DESCRIPTOR + 8);
            if ((word & (AVAIL | USED)) != (next < size ? AVAIL : USED)) {
                break;
            }
            next = advanced(next, 1);
            put((int) (word >>> 32) & 0xffff, 1, written);
            count++;
        }
        if (inOrder && written == 0 && count > 1) {
            // One used descriptor stands for all, by the id of the last (2.8.9).
            pendingWords[0] = (pendingWords[0] & ~ID) | (pendingWords[count - 1] & ID);
            pending = 1;
        }
        return count;
    }

    @Override
    int mark() {
        return next;
    }

    @Override
    void rewind(int mark) {
        next = mark;
    }

    @Override
    int base() {
        int word = index(next) | (next < size ? 1 << WRAP_BIT : 0);
        return word | word << 16;
    }

    private int index(int position) {
        return position < size ? position : position - size;
    }

    private int distance(int from, int to) {
        return to >= from ? to - from : to - from + 2 * size;
    }

    private int advanced(int position, int by) {
        int sum = position + by;
        return sum < 2 * size ? sum : sum - 2 * size;
    }
}
