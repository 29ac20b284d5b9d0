package io.doorbell.frame;

import java.util.Objects;

/**
 * The frames that an application holds: a row of slots, allocated once and used again and again. Frames come in at the
 * end, from {@link RxQueue#receive}, {@link FramePool#allocate} or another batch, and leave by {@link TxQueue#send} or
 * {@link #release}. Frames stay in order, and there are no gaps: {@code frame(0)} to {@code frame(size() - 1)}.
 *
 * <p>A frame that is too long for one buffer takes several slots, one behind the other, all of which but the last say
 * {@link Offloads#CONTINUES}. A NIC gives out such frames only if the application said that it knows about them
 * ({@link NicConfig#withReceiveOffloads}): without, a slot is a frame. The application makes one with {@link #join}.
 *
 * <p>Make one batch per thread and loop. A batch of 32 is a good start: it amortizes the doorbell, and what the loop
 * touches stays in the first-level cache.
 *
 * <p>Belongs to one thread at a time.
 */
public final class FrameBatch {

    private final Frame[] frames;
    private int size;

    /** Makes an empty batch of {@code capacity} slots, at least 1. */
    public FrameBatch(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a batch has at least one slot, not " + capacity);
        }
        frames = new Frame[capacity];
        for (int i = 0; i < capacity; i++) {
            frames[i] = new Frame();
        }
    }

    /** How many slots are in use: as many as frames, unless one takes several. */
    public int size() {
        return size;
    }

    /** How many slots there are. */
    public int capacity() {
        return frames.length;
    }

    /** How many slots are free. */
    public int room() {
        return frames.length - size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /**
     * The slot at {@code index}, with its frame.
     *
     * @throws IndexOutOfBoundsException unless {@code index} is from 0 to {@code size() - 1}
     */
    public Frame frame(int index) {
        return frames[Objects.checkIndex(index, size)];
    }

    /** Gives all frames back to their pools; the batch is empty then. */
    public void release() {
        int from = 0;
        while (from < size) {
            // Frames of one pool go back together, under one lock.
            from = frames[from].pool().release(frames, from, size);
        }
        size = 0;
    }

    /** How many slots the frame takes that starts at {@code index}: 1, unless it says {@link Offloads#CONTINUES}. */
    public int slots(int index) {
        int slots = 1;
        for (Frame frame = frame(index); frame.continues() && index + slots < size; slots++) {
            frame = frames[index + slots];
        }
        return slots;
    }

    /** Bytes in the whole frame that starts at {@code index}. */
    public int length(int index) {
        int end = index + slots(index);
        int length = 0;
        for (int i = index; i < end; i++) {
            length += frames[i].length();
        }
        return length;
    }

    /**
     * Makes one frame of those in {@code slots} slots, at least 1, the first of which is at {@code index}; what the first
     * says of offloads goes for all of it.
     */
    public void join(int index, int slots) {
        if (slots < 1) {
            throw new IllegalArgumentException("a frame takes at least one slot, not " + slots);
        }
        Objects.checkFromIndexSize(index, slots, size);
        for (int i = index; i < index + slots - 1; i++) {
            frames[i].addOffloads(Offloads.CONTINUES);
        }
    }

    /**
     * Gives the frame that starts at {@code index} back to its pool, with all of its slots; the frames behind it move up.
     *
     * @throws IllegalArgumentException when the slot at {@code index} is another one than its frame's first
     */
    public void release(int index) {
        int slots = wholeFrame(index);
        for (int i = index; i < index + slots; i++) {
            frames[i].pool().release(frames, i, i + 1);
        }
        closeGap(index, slots);
    }

    /**
     * Moves the frame that starts at {@code index} to the end of another batch, with all of its slots; the frames behind
     * it move up.
     *
     * @throws IllegalStateException when the other batch has no room for it
     * @throws IllegalArgumentException when the slot at {@code index} is another one than its frame's first
     */
    public void moveTo(FrameBatch other, int index) {
        int slots = wholeFrame(index);
        if (slots > other.room()) {
            throw other.full();
        }
        for (int i = index; i < index + slots; i++) {
            other.nextSlot().take(frames[i]);
        }
        closeGap(index, slots);
    }

    /** How many slots it takes; throws unless it starts there. */
    private int wholeFrame(int index) {
        int slots = slots(index);
        if (index > 0 && frames[index - 1].continues()) {
            throw new IllegalArgumentException(
                    "slot " + index + " goes on with a frame that starts before it: name the frame's first slot");
        }
        return slots;
    }

    /**
     * For drivers and pools: puts a buffer into the next slot; it is the application's from then on.
     *
     * @param pool where the buffer comes from
     * @param buffer its number there
     * @param offset where the frame starts in it, in bytes
     * @param length bytes in the frame
     * @throws IllegalStateException when the batch is full
     */
    public Frame append(FramePool pool, int buffer, int offset, int length) {
        Frame frame = nextSlot();
        frame.fill(pool, buffer, offset, length);
        return frame;
    }

    /**
     * For drivers: as {@link #append(FramePool, int, int, int)}, for {@code count} buffers of one pool: their numbers are in
     * {@code buffers} from index {@code from}, their frames' lengths in {@code lengths} from its start.
     */
    public void append(FramePool pool, int[] buffers, int from, int offset, int[] lengths, int count) {
        Objects.checkFromIndexSize(from, count, buffers.length);
        if (count > room()) {
            throw full();
        }
        final Frame[] frames = this.frames;
        final int first = size;
        for (int i = 0; i < count; i++) {
            frames[first + i].fill(pool, buffers[from + i], offset, lengths[i]);
        }
        size = first + count;
    }

    /** Puts {@code count} buffers into the next slots, which are there, as frames of no bytes behind a headroom. */
    void appendEmpty(FramePool pool, int[] buffers, int from, int count) {
        final Frame[] frames = this.frames;
        final int first = size;
        for (int i = 0; i < count; i++) {
            frames[first + i].fill(pool, buffers[from + count - 1 - i], FramePool.HEADROOM, 0);
        }
        size = first + count;
    }

    private Frame nextSlot() {
        if (size == frames.length) {
            throw full();
        }
        return frames[size++];
    }

    private IllegalStateException full() {
        return new IllegalStateException(
                "the batch is full: " + size + " of its " + frames.length + " slots are in use");
    }

    /** For drivers: empties the first {@code count} slots, whose buffers the driver now owns. */
    public void detach(int count) {
        Objects.checkFromIndexSize(0, count, size);
        for (int i = 0; i < count; i++) {
            frames[i].clear();
        }
        closeGap(0, count);
    }

    /** The {@code count} slots at {@code index} are empty: they go to the end, and the frames behind them move up. */
    private void closeGap(int index, int count) {
        int behind = size - index - count;
        for (int i = index; i < index + behind; i++) {
            Frame empty = frames[i];
            frames[i] = frames[i + count];
            frames[i + count] = empty;
        }
        size -= count;
    }
}
