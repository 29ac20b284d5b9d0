package io.doorbell.frame;

import java.util.Objects;

/**
 * The frames that an application holds: a row of slots, allocated once and used again and again. Frames come in at the
 * end, from {@link RxQueue#receive}, {@link FramePool#allocate} or another batch, and leave by {@link TxQueue#send} or
 * {@link #release}. Frames stay in order, and there are no gaps: {@code frame(0)} to {@code frame(size() - 1)}.
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

    /** How many frames it holds. */
    public int size() {
        return size;
    }

    /** How many frames it can hold. */
    public int capacity() {
        return frames.length;
    }

    /** How many more frames it can hold. */
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
            FramePool pool = frames[from].pool();
            int to = from + 1;
            while (to < size && frames[to].pool == pool) {
                to++;
            }
            pool.release(frames, from, to);
            from = to;
        }
        detach(size);
    }

    /** Gives one frame back to its pool; the frames behind it move up. */
    public void release(int index) {
        Frame frame = frame(index);
        frame.pool().release(frames, index, index + 1);
        frame.clear();
        closeGap(index, 1);
    }

    /**
     * Moves one frame to the end of another batch; the frames behind it move up.
     *
     * @throws IllegalStateException when the other batch is full
     */
    public void moveTo(FrameBatch other, int index) {
        Frame frame = frame(index);
        other.nextSlot().take(frame);
        closeGap(index, 1);
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

    private Frame nextSlot() {
        if (size == frames.length) {
            throw new IllegalStateException("the batch is full: it holds " + size + " frames");
        }
        return frames[size++];
    }

    /** For drivers: takes the first {@code count} frames out, whose buffers the driver now owns. */
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
