package io.doorbell.virtio;

import java.util.Arrays;

/** Which buffer each descriptor of a transmit queue holds, and their way back to their pools, in bulk. */
final class TxBuffers {

    private static final int NONE = -1;

    private final TxFrames frames;

    /** Of each descriptor in use: its buffer, and the slot of the buffer's pool. */
    private final int[] buffers;

    private final int[] slots;

    /** Buffers on their way back, all of one pool. */
    private final int[] collected;

    private int count;
    private int slot;

    TxBuffers(int size, TxFrames frames) {
        this.frames = frames;
        this.buffers = new int[size];
        this.slots = new int[size];
        this.collected = new int[size];
        Arrays.fill(buffers, NONE);
    }

    void put(int id, int buffer, int slot) {
        buffers[id] = buffer;
        slots[id] = slot;
    }

    boolean has(int id) {
        return buffers[id] != NONE;
    }

    void remove(int id) {
        buffers[id] = NONE;
    }

    /** Takes a buffer that the device has read out; it goes back with the next {@link #giveCollected}. */
    void collect(int id) {
        int itsSlot = slots[id];
        if (itsSlot != slot) {
            giveCollected();
            slot = itsSlot;
        }
        collected[count++] = buffers[id];
        buffers[id] = NONE;
    }

    void giveCollected() {
        if (count > 0) {
            frames.pool(slot).give(collected, 0, count);
            count = 0;
        }
    }

    /** Gives back {@code count} buffers from descriptor {@code first} on, round the end if need be. */
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
