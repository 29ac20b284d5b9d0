package io.doorbell.virtio.vhost.backend;

import static io.doorbell.virtio.spec.LittleEndian.INT;
import static io.doorbell.virtio.spec.LittleEndian.LONG;
import static io.doorbell.virtio.spec.LittleEndian.SHORT;

import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/** The split layout (2.7) from the device's side. Indices are free-running; their low 16 bits are what the ring shows. */
final class SplitDeviceRing extends DeviceRing {

    private static final int INDEX = 2;
    private static final int RING = 4;
    private static final int ELEMENT = 8;
    private static final short NO_NOTIFY = 1;
    private static final int NO_INTERRUPT = 1;

    private final MemorySegment descriptors;
    private final MemorySegment available;
    private final MemorySegment used;
    private final int mask;

    /** The next entry of the available ring to be read; {@code known} entries from there on are valid. */
    private int next;

    private int known;
    /** The next entry of the used ring to be written, and the index that the driver has seen. */
    private int put;

    private int published;

    /**
     * @param size a power of two
     * @param base the entry to start with
     */
    SplitDeviceRing(
            String name,
            int size,
            VhostMemory memory,
            Features features,
            long descriptorAddress,
            long availableAddress,
            long usedAddress,
            int base) {
        super(name, size, memory, features);
        this.mask = size - 1;
        // Each ring ends with an event index, which without EVENT_IDX need not be there.
        int event = eventIndex ? Short.BYTES : 0;
        this.descriptors = memory.ring("descriptor table", descriptorAddress, (long) size * DESCRIPTOR, DESCRIPTOR);
        this.available = memory.ring("available ring", availableAddress, RING + 2L * size + event, Short.BYTES);
        this.used = memory.ring("used ring", usedAddress, RING + (long) size * ELEMENT + event, Integer.BYTES);
        this.next = base & 0xffff;
        // Where the device before us stopped: it had given back all that it took, unless it was killed.
        this.put = (short) SHORT.getOpaque(used, INDEX) & 0xffff;
        this.published = put;
    }

    @Override
    void start() {
        if (eventIndex) {
            SHORT.setOpaque(used, RING + (long) size * ELEMENT, (short) (next - 1));
        } else {
            SHORT.setOpaque(used, 0, NO_NOTIFY);
        }
    }

    @Override
    void askKicks() {
        if (eventIndex) {
            SHORT.setOpaque(used, RING + (long) size * ELEMENT, (short) next);
        } else {
            SHORT.setOpaque(used, 0, (short) 0);
        }
        fence(); // the driver writes its index, then looks at our wish
    }

    @Override
    boolean isEmpty() {
        return known == 0 && (short) SHORT.getAcquire(available, INDEX) == (short) next;
    }

    @Override
    boolean take(boolean writable) {
        if (known == 0) {
            // Acquire: the driver wrote entries, descriptors and frames before the index (2.7.13.3).
            known = ((short) SHORT.getAcquire(available, INDEX) - next) & 0xffff;
            if (known == 0) {
                return false;
            }
            if (known > size) {
                throw malformed(known + " buffers in a ring of " + size);
            }
        }
        int head = (short) SHORT.getOpaque(available, RING + 2L * (next & mask)) & 0xffff;
        int descriptor = head;
        for (int length = 1; ; length++) {
            if (descriptor >= size || length > size) {
                throw malformed(
                        length > size
                                ? "a chain from descriptor " + head + " that has no end"
                                : "descriptor " + descriptor + " of " + size);
            }
            long word = (long) LONG.getOpaque(descriptors, (long) descriptor * DESCRIPTOR + 8);
            long address = (long) LONG.getOpaque(descriptors, (long) descriptor * DESCRIPTOR);
            int flags = (int) (word >>> 32) & 0xffff;
            describe(address, (int) word, flags, writable, true);
            if ((flags & NEXT) == 0) {
                break;
            }
            descriptor = (int) (word >>> 48);
        }
        taken(head, 1);
        next++;
        known--;
        return true;
    }

    @Override
    void walkTable(MemorySegment table, long offset, int count, boolean writable) {
        int descriptor = 0;
        for (int length = 1; ; length++) {
            if (descriptor >= count || length > count) {
                throw malformed(
                        "a chain in an indirect table of " + count + " descriptors that leaves it or has no end");
            }
            long at = offset + (long) descriptor * DESCRIPTOR;
            long word = table.get(LittleEndian.PLAIN_LONG, at + 8);
            int flags = (int) (word >>> 32) & 0xffff;
            if ((flags & INDIRECT) != 0) {
                throw malformed("an indirect table within an indirect table");
            }
            add(table.get(LittleEndian.PLAIN_LONG, at), (int) word, (flags & WRITE) != 0, writable);
            if ((flags & NEXT) == 0) {
                return;
            }
            descriptor = (int) (word >>> 48);
        }
    }

    @Override
    void put(int id, int entries, int written) {
        long element = RING + (long) (put & mask) * ELEMENT;
        INT.setOpaque(used, element, id);
        INT.setOpaque(used, element + 4, written);
        put++;
    }

    @Override
    boolean publish() {
        if (put == published) {
            return false;
        }
        // Release: the driver finds entries and frames when it sees the index (2.7.8.2).
        SHORT.setRelease(used, INDEX, (short) put);
        fence();
        int news = put - published;
        published = put;
        if (eventIndex) {
            int event = (short) SHORT.getOpaque(available, RING + 2L * size);
            // Whether the index has just passed the event (2.7.7.2).
            return ((put - event - 1) & 0xffff) < news;
        }
        return ((short) SHORT.getOpaque(available, 0) & NO_INTERRUPT) == 0;
    }

    @Override
    public int useAll(int most, int written) {
        // Acquire: as in take().
        int count = ((short) SHORT.getAcquire(available, INDEX) - next) & 0xffff;
        if (count > size) {
            throw malformed(count + " buffers in a ring of " + size);
        }
        count = Math.min(count, most);
        for (int i = 0; i < count; i++) {
            int head = (short) SHORT.getOpaque(available, RING + 2L * ((next + i) & mask)) & 0xffff;
            long element = RING + (long) ((put + i) & mask) * ELEMENT;
            // What stands there already need not travel to the driver again.
            if ((int) INT.getOpaque(used, element) != head || (int) INT.getOpaque(used, element + 4) != written) {
                INT.setOpaque(used, element, head);
                INT.setOpaque(used, element + 4, written);
            }
        }
        next += count;
        put += count;
        return count;
    }

    @Override
    int mark() {
        return next;
    }

    @Override
    void rewind(int mark) {
        known += next - mark;
        next = mark;
    }

    /** The front-end has looked at the used index as well as we have. */
    @Override
    void resume() {}

    @Override
    int base() {
        return next & 0xffff;
    }
}
