package io.doorbell.virtio.queue;

import java.util.Arrays;

/**
 * Which buffers each descriptor of a transmit queue holds, and their way back to their pools, in bulk. A frame in several
 * buffers has them in one descriptor, with a table ({@link #putMore}), or in several ({@link #putSegment}).
 */
final class TxBuffers {

    static final int NONE = -1;

    private static final int LENGTH_SHIFT = Integer.SIZE;
    private static final int LENGTH_MASK = 0x1ffff;
    private static final int SLOT_SHIFT = LENGTH_SHIFT + Integer.bitCount(LENGTH_MASK);

    private final TxFrames frames;

    /** Of each descriptor in use: its buffer, as {@link #handle} has it. Of a {@link #putSegment segment}: see {@link #segment}. */
    private final long[] buffers;

    /** Of a frame in several descriptors, from the one that the device gives back: which is the next; else NONE. */
    private final int[] next;

    // Of each descriptor with a table: how many more buffers, and which; empty without tables.
    private final int[] more;
    private final long[] moreBuffers;

    /** Frames in several buffers. While there is none, the arrays above say nothing. */
    private int multiBuffer;

    /** Buffers on their way back, all of one pool. */
    private final int[] collected;

    private int count;
    private int slot;

    TxBuffers(int size, boolean tables, TxFrames frames) {
        this.frames = frames;
        this.buffers = new long[size];
        this.next = new int[size];
        this.more = new int[size];
        this.moreBuffers = new long[tables ? size * IndirectTables.MOST : 0];
        this.collected = new int[size + IndirectTables.MOST];
        Arrays.fill(buffers, NONE);
        Arrays.fill(next, NONE);
    }

    /**
     * A buffer, the slot of its pool, and how many bytes of a frame are in it, in one word, which is not negative.
     *
     * @param slot below 16384
     * @param length below 131072
     */
    static long handle(int slot, int length, int buffer) {
        return (long) slot << SLOT_SHIFT | (long) length << LENGTH_SHIFT | buffer;
    }

    private static int length(long handle) {
        return (int) (handle >>> LENGTH_SHIFT) & LENGTH_MASK;
    }

    void put(int id, long handle) {
        buffers[id] = handle;
    }

    /** As {@link #put(int, long)}, for the descriptors whose ids are in the array from index {@code from} on. */
    void put(int[] ids, int from, long[] holds, int count) {
        for (int i = 0; i < count; i++) {
            buffers[ids[from + i]] = holds[i];
        }
    }

    /** Adds a buffer to a descriptor that has one. */
    void putMore(int id, long handle) {
        if (more[id] == 0) {
            multiBuffer++;
        }
        int at = id * IndirectTables.MOST + more[id]++;
        moreBuffers[at] = handle;
    }

    /**
     * Gives a descriptor of its own to a part of a frame. The device gives back another of the frame's, {@code of}, which
     * stands for all.
     */
    void putSegment(int id, long handle, int of) {
        if (next[of] == NONE) {
            multiBuffer++;
        }
        buffers[id] = segment(handle);
        next[id] = next[of];
        next[of] = id;
    }

    /** A buffer as a part has it: never one that a descriptor has which the device may give back. */
    private static long segment(long handle) {
        return NONE - 1 - handle;
    }

    /** Whether the device has this descriptor, and may give it back. */
    boolean has(int id) {
        return buffers[id] > NONE;
    }

    /** The next descriptor of a frame that has several; NONE behind the last, as for other frames. */
    int next(int id) {
        return multiBuffer == 0 ? NONE : next[id];
    }

    /** How many more descriptors the frame has. */
    int segments(int id) {
        int parts = 0;
        for (int segment = next(id); segment != NONE; segment = next[segment]) {
            parts++;
        }
        return parts;
    }

    void remove(int id) {
        buffers[id] = NONE;
        if (multiBuffer != 0) {
            forgetRun(id);
        }
    }

    private void forgetRun(int id) {
        if (more[id] > 0 || next[id] != NONE) {
            multiBuffer--;
        }
        more[id] = 0;
        for (int segment = next[id]; segment != NONE; ) {
            int following = next[segment];
            buffers[segment] = NONE;
            next[segment] = NONE;
            segment = following;
        }
        next[id] = NONE;
    }

    /** Takes the buffers of a frame that the device has read out; they go back with the next {@link #giveCollected}. */
    void collectOne(int id) {
        collect(buffers[id]);
        if (multiBuffer != 0) {
            collectRun(id);
        }
        buffers[id] = NONE;
    }

    /** Whether no frame has more than one buffer, so that each descriptor in use stands for itself. */
    boolean allPlain() {
        return multiBuffer == 0;
    }

    /** As {@link #collectOne} for the descriptors from {@code first} to {@code end - 1}, all in use. */
    void collectAll(int first, int end) {
        if (multiBuffer != 0) {
            for (int id = first; id < end; id++) {
                collectOne(id);
            }
            return;
        }
        for (int id = first; id < end; id++) {
            collect(buffers[id]);
            buffers[id] = NONE;
        }
    }

    private void collect(long handle) {
        int itsSlot = (int) (handle >>> SLOT_SHIFT);
        if (itsSlot != slot) {
            giveCollected();
            slot = itsSlot;
        }
        collected[count++] = (int) handle;
    }

    private void collectRun(int id) {
        for (int i = 0; i < more[id]; i++) {
            collect(moreBuffers[id * IndirectTables.MOST + i]);
        }
        for (int segment = next[id]; segment != NONE; segment = next[segment]) {
            collect(segment(buffers[segment]));
        }
        forgetRun(id);
        // Else more might come together than descriptors, for which there is room.
        giveCollected();
    }

    void giveCollected() {
        if (count > 0) {
            frames.pool(slot).free(collected, 0, count);
            count = 0;
        }
    }

    /** Gives back the buffers of {@code count} descriptors from {@code first} on, round the end if need be. */
    void give(int first, int count) {
        int end = first + count;
        collectAll(first, Math.min(end, buffers.length));
        if (end > buffers.length) {
            collectAll(0, end - buffers.length);
        }
        giveCollected();
    }

    /** Bytes in all frames of which the device has the buffers. */
    long bytes() {
        long bytes = 0;
        for (int id = 0; id < buffers.length; id++) {
            if (has(id)) {
                bytes += length(buffers[id]);
                for (int i = 0; i < more[id]; i++) {
                    bytes += length(moreBuffers[id * IndirectTables.MOST + i]);
                }
                for (int segment = next[id]; segment != NONE; segment = next[segment]) {
                    bytes += length(segment(buffers[segment]));
                }
            }
        }
        return bytes;
    }

    void giveAll() {
        for (int id = 0; id < buffers.length; id++) {
            if (has(id)) {
                collectOne(id);
            }
        }
        giveCollected();
    }
}
