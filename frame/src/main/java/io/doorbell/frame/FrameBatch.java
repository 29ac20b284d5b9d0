package io.doorbell.frame;

import io.doorbell.DoorbellException;
import java.util.Objects;

/**
 * The frames that an application holds: a row of slots, allocated once and used again and again. Frames come in at the
 * end, from {@link RxQueue#receive}, {@link FramePool#allocate} or another batch, and leave by {@link TxQueue#send} or
 * {@link #release}. Frames stay in order, and there are no gaps: {@code frame(0)} to {@code frame(size() - 1)}.
 *
 * <p>A frame that is too long for one buffer takes several slots, one behind the other, all of which but the last say
 * {@link Offloads#MORE_SEGMENTS}. A NIC gives out such frames only if the application said that it knows about them
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

    /** Whether a frame had no room here, while another batch is distributed: those behind it must not overtake it. */
    private boolean refuses;

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
    public int remaining() {
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

    /** How many slots the frame takes that starts at {@code index}: 1, unless it says {@link Offloads#MORE_SEGMENTS}. */
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
            frames[i].addOffloads(Offloads.MORE_SEGMENTS);
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
        if (slots > other.remaining()) {
            throw other.full();
        }
        moveSlots(other, index, slots);
        closeGap(index, slots);
    }

    /** Moves a frame to where there is room for it, and leaves its slots here empty. */
    private void moveSlots(FrameBatch other, int index, int slots) {
        for (int i = index; i < index + slots; i++) {
            other.nextSlot().take(frames[i]);
        }
    }

    private void requireOther(FrameBatch other) {
        if (other == this) {
            throw new IllegalArgumentException("these frames are in this batch already: name another one");
        }
    }

    /**
     * Moves frames from the front of this batch to the end of another one, in order, as many as fit; the others are at
     * the front then.
     *
     * @return how many slots were emptied
     * @throws IllegalArgumentException when the other batch is this one
     */
    public int moveTo(FrameBatch other) {
        requireOther(other);
        int moved = 0;
        while (moved < size) {
            int slots = slots(moved);
            if (slots > other.remaining()) {
                break;
            }
            moveSlots(other, moved, slots);
            moved += slots;
        }
        closeGap(0, moved);
        return moved;
    }

    /**
     * Moves each frame to the end of the batch that was chosen for it, as a switch does: all in one pass, and in order.
     * Frames for which none was chosen stay, and so do those that their batch has no room for, and all behind them that
     * are for the same one. What stays moves up, in order too.
     *
     * @param choice for each slot that a frame starts in, an index of {@code others}, or a negative number if the frame
     *     is to stay; what it holds for other slots does not matter
     * @param others where frames can go
     * @return how many slots were emptied
     * @throws IllegalArgumentException when this batch is among those chosen
     * @throws IndexOutOfBoundsException when {@code choice} has fewer elements than there are slots in use, or chooses
     *     a batch that is not there; as with the other exception, nothing has moved then
     */
    public int distribute(int[] choice, FrameBatch... others) {
        Objects.checkFromIndexSize(0, size, choice.length);
        for (int i = 0; i < size; i += slots(i)) {
            if (choice[i] >= 0) {
                FrameBatch other = others[Objects.checkIndex(choice[i], others.length)];
                requireOther(other);
                other.refuses = false;
            }
        }
        int kept = 0;
        for (int i = 0, slots; i < size; i += slots) {
            slots = slots(i);
            if (choice[i] < 0 || !others[choice[i]].accepts(slots)) {
                keep(kept, i, slots);
                kept += slots;
            } else {
                moveSlots(others[choice[i]], i, slots);
            }
        }
        int moved = size - kept;
        size = kept;
        return moved;
    }

    /** Whether there is room for a frame of so many slots, and has been for all before it in this pass. */
    private boolean accepts(int slots) {
        refuses |= slots > remaining();
        return !refuses;
    }

    /** Moves a frame that stays up to {@code to}, past slots that are empty; nothing has changed from {@code from} on. */
    private void keep(int to, int from, int slots) {
        if (to != from) {
            for (int i = 0; i < slots; i++) {
                swap(to + i, from + i);
            }
        }
    }

    /**
     * Copies the frame that starts at {@code index}, with all of its slots, to the end of a batch: bytes, what is known of
     * it or asked for it, and its tag. The copy has as much headroom, where the pool's buffers are not smaller.
     *
     * <p>So a switch floods: a copy for each port but one, and the frame itself for that. There is no such thing as a
     * buffer with several owners. The count of owners would have to be looked at wherever a frame is released or sent,
     * which costs everybody, and the owners would have to agree not to write.
     *
     * @param other may be this batch
     * @param pool where to take buffers for the copy from
     * @return whether there is a copy; not so when the batch has too little room, or the pool too few buffers
     * @throws IllegalArgumentException when the slot at {@code index} is another one than its frame's first
     * @throws DoorbellException when what a slot holds does not fit into a buffer of the pool's
     */
    public boolean copyTo(FrameBatch other, int index, FramePool pool) {
        final int slots = wholeFrame(index);
        for (int i = index; i < index + slots; i++) {
            if (frames[i].length() > pool.bufferSize()) {
                throw new DoorbellException("cannot copy " + frames[i].length()
                        + " bytes into a buffer: the pool's have " + pool.bufferSize()
                        + "; take a pool with buffers as large as those that the frame is in");
            }
        }
        final int from = other.size;
        if (slots > other.remaining()) {
            return false;
        }
        boolean whole = false;
        try {
            if (pool.allocate(other, slots) == slots) {
                for (int i = 0; i < slots; i++) {
                    other.frames[from + i].fillFrom(frames[index + i]);
                }
                whole = true;
            }
        } finally {
            if (!whole) {
                pool.release(other.frames, from, other.size);
                other.size = from;
            }
        }
        return whole;
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
        if (count > remaining()) {
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
            swap(i, i + count);
        }
        size -= count;
    }

    private void swap(int one, int another) {
        Frame frame = frames[one];
        frames[one] = frames[another];
        frames[another] = frame;
    }
}
