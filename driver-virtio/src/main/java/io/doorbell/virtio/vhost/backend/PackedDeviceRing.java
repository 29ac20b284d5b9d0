package io.doorbell.virtio.vhost.backend;

import static io.doorbell.virtio.spec.LittleEndian.INT;
import static io.doorbell.virtio.spec.LittleEndian.LONG;

import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/**
 * The packed layout (2.8) from the device's side. A position counts twice round the ring: from 0 to twice its size, so
 * that it says the wrap counter too, which is 1 in the first round.
 */
final class PackedDeviceRing extends DeviceRing {

    private static final long AVAIL = 1L << (48 + 7);
    private static final long USED = 1L << (48 + 15);
    private static final long ID = 0xffffL << 32;
    /** Of a descriptor that the driver passes over, since the first of its chain says that all were used. No driver's. */
    private static final long PASSED = (long) (NEXT | INDIRECT) << 48;

    /** How often the ring is looked at while the driver is writing to it. */
    private static final int LOOKS = 1000;

    private static final int EVENTS_ENABLE = 0;
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
            throw malformed("a ring of " + size + " descriptors that starts at " + position);
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
    void askKicks() {
        INT.setOpaque(deviceEvents, 0, EVENTS_ENABLE << 16);
        fence(); // the driver writes a descriptor, then looks at our wish
    }

    @Override
    boolean isEmpty() {
        long word = (long) LONG.getAcquire(descriptors, (long) index(next) * DESCRIPTOR + 8);
        return distance(published, next) == size || (word & (AVAIL | USED)) != flagsWhenAvailable(next);
    }

    @Override
    boolean take(boolean writable) {
        final int room = size - distance(published, next);
        if (room == 0) {
            return false; // what comes now has been taken, and not been given back
        }
        // Acquire: the driver wrote the rest of the chain, and the frames, before the first flags (2.8.21.1).
        long word = (long) LONG.getAcquire(descriptors, (long) index(next) * DESCRIPTOR + 8);
        if ((word & (AVAIL | USED)) != flagsWhenAvailable(next)) {
            return false;
        }
        int position = next;
        int length = 1;
        while (true) {
            int flags = (int) (word >>> 48);
            long address = (long) LONG.getOpaque(descriptors, (long) index(position) * DESCRIPTOR);
            describe(address, (int) word, flags, writable, length == 1);
            position = advanced(position, 1);
            if ((flags & NEXT) == 0) {
                break;
            }
            if (++length > room) {
                throw malformed("a chain from descriptor " + index(next) + " that has no end");
            }
            word = (long) LONG.getOpaque(descriptors, (long) index(position) * DESCRIPTOR + 8);
        }
        // The last descriptor of a chain says its id (2.8.6).
        taken((int) (word >>> 32) & 0xffff, length);
        next = position;
        return true;
    }

    @Override
    void walkTable(MemorySegment table, long offset, int count, boolean writable) {
        // All descriptors of the table are used, in order; their ids and other flags mean nothing (2.8.7).
        for (int i = 0; i < count; i++) {
            long at = offset + (long) i * DESCRIPTOR;
            long word = table.get(LittleEndian.PLAIN_LONG, at + 8);
            int flags = (int) (word >>> 48);
            if ((flags & INDIRECT) != 0) {
                throw malformed("an indirect table within an indirect table");
            }
            add(table.get(LittleEndian.PLAIN_LONG, at), (int) word, (flags & WRITE) != 0, writable);
        }
    }

    @Override
    void put(int id, int entries, int written) {
        long flags = put < size ? AVAIL | USED : 0;
        long write = written > 0 ? (long) WRITE << 48 : 0;
        pendingPositions[pending] = index(put);
        pendingWords[pending] = flags | write | (long) id << 32 | Integer.toUnsignedLong(written);
        pending++;
        // Neither used nor available: what is left of a chain would look available to a device that comes after this
        // one.
        for (int i = 1; i < entries; i++) {
            int position = advanced(put, i);
            pendingPositions[pending] = index(position);
            pendingWords[pending] = PASSED | flagsWhenAvailable(position);
            pending++;
        }
        put = advanced(put, entries);
    }

    private long flagsWhenAvailable(int position) {
        return position < size ? AVAIL : USED;
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
    public int useAll(int most, int written) {
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

    /**
     * The driver's position is where the AVAIL flags change, since it writes each round's wrap counter there; ours is
     * behind the last descriptor that is not available. A ring whose first descriptor was never written starts where the
     * front-end says, and so does one in which the driver's position cannot be told.
     */
    @Override
    void resume() {
        long[] words = new long[size];
        int end = -1;
        boolean certain = false;
        for (int look = 0; look < LOOKS && !certain; look++) {
            int before = end;
            end = driverPosition(words);
            certain = end >= 0 && end == before;
        }
        if (!certain) {
            return;
        }
        int oldest = advanced(end, size);
        int first = size;
        int behind = 0;
        for (int i = 0; i < size; i++) {
            if (!isAvailable(words, advanced(oldest, i))) {
                behind = i + 1;
            } else if (first == size) {
                first = i;
            }
        }
        next = advanced(oldest, behind);
        put = next;
        published = next;
        // The device before was showing what it had used, the last first, when it was killed.
        for (int i = behind - 1; i >= first; i--) {
            int position = advanced(oldest, i);
            if (isAvailable(words, position)) {
                long used = (position < size ? AVAIL | USED : 0) | (words[index(position)] & ID);
                LONG.setRelease(descriptors, (long) index(position) * DESCRIPTOR + 8, used);
            }
        }
    }

    private boolean isAvailable(long[] words, int position) {
        long word = words[index(position)];
        return (word & (AVAIL | USED)) == flagsWhenAvailable(position) && (word & PASSED) != PASSED;
    }

    /**
     * Where the driver writes next, −1 if that cannot be told.
     *
     * @param words receives the second words of all descriptors
     */
    private int driverPosition(long[] words) {
        int changes = 0;
        int change = 0;
        for (int i = 0; i < size; i++) {
            // Acquire: as in take().
            words[i] = (long) LONG.getAcquire(descriptors, (long) i * DESCRIPTOR + 8);
            if (i > 0 && ((words[i] ^ words[i - 1]) & AVAIL) != 0) {
                changes++;
                change = i;
            }
        }
        // Drivers fill a ring in any order, and show it by the first descriptor.
        boolean isNew = words[0] == 0 && (long) LONG.getOpaque(descriptors, 0) == 0;
        if (isNew || changes > 1) {
            return -1;
        }
        // Up to the change, or all round the ring, it has written what the first one shows.
        boolean firstRound = (words[0] & AVAIL) != 0;
        int written = changes == 0 ? size : change;
        int end = firstRound ? written : advanced(size, written);
        return isHeldBack(words, advanced(end, 2 * size - 1)) ? -1 : end;
    }

    /**
     * Whether all descriptors are available but this one, which would be the last: it is the first, and the driver has
     * filled the whole ring and not yet shown it.
     */
    private boolean isHeldBack(long[] words, int last) {
        if (isAvailable(words, last)) {
            return false;
        }
        for (int i = 1; i < size; i++) {
            if (!isAvailable(words, advanced(last, size + i))) {
                return false;
            }
        }
        return true;
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
