package io.doorbell.virtio;

import java.util.Arrays;

/**
 * Which buffers each descriptor of a transmit queue holds, and their way back to their pools, in bulk. A frame in several
 * buffers has them in one descriptor, with a table ({@link #putMore}), or in several ({@link #putPart}).
 */
final class TxBuffers {

    static final int NONE = -1;

    private final TxFrames frames;

    /** Of each descriptor in use: its buffer, and the slot of the buffer's pool. Of a {@link #putPart part}: see {@link #part}. */
    private final int[] buffers;

    private final int[] slots;

    /** Of a frame in several descriptors, from the one that the device gives back: which is the next; else NONE. */
    private final int[] next;

    // Of each descriptor with a table: how many more buffers, and which; empty without tables.
    private final int[] more;
    private final int[] moreBuffers;
    private final int[] moreSlots;

    /** Frames in several buffers. While there is none, the arrays above say nothing. */
    private int runs;

    /** Buffers on their way back, all of one pool. */
    private final int[] collected;

    private int count;
    private int slot;

    TxBuffers(int size, boolean tables, TxFrames frames) {
        this.frames = frames;
        this.buffers = new int[size];
        this.slots = new int[size];
        this.next = new int[size];
        this.more = new int[size];
        this.moreBuffers = new int[tables ? size * TxTables.MOST : 0];
        this.moreSlots = new int[moreBuffers.length];
        this.collected = new int[size + TxTables.MOST];
        Arrays.fill(buffers, NONE);
        Arrays.fill(next, NONE);
    }

    void put(int id, int buffer, int slot) {
        buffers[id] = buffer;
        slots[id] = slot;
    }

    /** Adds a buffer to a descriptor that has one. */
    void putMore(int id, int buffer, int slot) {
        if (more[id] == 0) {
            runs++;
        }
        int at = id * TxTables.MOST + more[id]++;
        moreBuffers[at] = buffer;
        moreSlots[at] = slot;
    }

    /**
     * Gives a descriptor of its own to a part of a frame. The device gives back another of the frame's, {@code of}, which
     * stands for all.
     */
    void putPart(int id, int buffer, int slot, int of) {
        if (next[of] == NONE) {
            runs++;
        }
        buffers[id] = part(buffer);
        slots[id] = slot;
        next[id] = next[of];
        next[of] = id;
    }

    /** A buffer's number as a part has it: never one that a descriptor has which the device may give back. */
    private static int part(int buffer) {
        return NONE - 1 - buffer;
    }

    /** Whether the device has this descriptor, and may give it back. */
    boolean has(int id) {
        return buffers[id] > NONE;
    }

    /** The next descriptor of a frame that has several; NONE behind the last, as for other frames. */
    int next(int id) {
        return runs == 0 ? NONE : next[id];
    }

    /** How many more descriptors the frame has. */
    int parts(int id) {
        int parts = 0;
        for (int part = next(id); part != NONE; part = next[part]) {
            parts++;
        }
        return parts;
    }

    void remove(int id) {
        buffers[id] = NONE;
        if (runs != 0) {
            forgetRun(id);
        }
    }

    private void forgetRun(int id) {
        if (more[id] > 0 || next[id] != NONE) {
            runs--;
        }
        more[id] = 0;
        for (int part = next[id]; part != NONE; ) {
            int following = next[part];
            buffers[part] = NONE;
            next[part] = NONE;
            part = following;
        }
        next[id] = NONE;
    }

    /** Takes the buffers of a frame that the device has read out; they go back with the next {@link #giveCollected}. */
    void collect(int id) {
        collect(buffers[id], slots[id]);
        if (runs != 0) {
            collectRun(id);
        }
        buffers[id] = NONE;
    }

    private void collect(int buffer, int itsSlot) {
        if (itsSlot != slot) {
            giveCollected();
            slot = itsSlot;
        }
        collected[count++] = buffer;
    }

    private void collectRun(int id) {
        for (int i = 0; i < more[id]; i++) {
            collect(moreBuffers[id * TxTables.MOST + i], moreSlots[id * TxTables.MOST + i]);
        }
        for (int part = next[id]; part != NONE; part = next[part]) {
            collect(part(buffers[part]), slots[part]);
        }
        forgetRun(id);
        // Else more might come together than descriptors, for which there is room.
        giveCollected();
    }

    void giveCollected() {
        if (count > 0) {
            frames.pool(slot).give(collected, 0, count);
            count = 0;
        }
    }

    /** Gives back the buffers of {@code count} descriptors from {@code first} on, round the end if need be. */
    void give(int first, int count) {
        int id = first;
        for (int left = count; left > 0; left--) {
            collect(id);
            id = id + 1 == buffers.length ? 0 : id + 1;
        }
        giveCollected();
    }

    void giveAll() {
        for (int id = 0; id < buffers.length; id++) {
            if (has(id)) {
                collect(id);
            }
        }
        giveCollected();
    }
}
