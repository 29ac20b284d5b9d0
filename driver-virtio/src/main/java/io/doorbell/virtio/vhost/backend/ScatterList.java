package io.doorbell.virtio.vhost.backend;

import java.lang.foreign.MemorySegment;

/**
 * Parts of shared memory, in order: what is copied out of them, or into them, is as one piece. Belongs to one thread at a
 * time.
 */
final class ScatterList {

    /** As many as all buffers of one frame need: none has more than 64 KiB. */
    static final int MOST_PARTS = 1024;

    // The parts, side by side.
    private final MemorySegment[] segments = new MemorySegment[MOST_PARTS];
    private final long[] offsets = new long[MOST_PARTS];
    private final int[] lengths = new int[MOST_PARTS];
    private int parts;
    private long bytes;

    void clear() {
        parts = 0;
        bytes = 0;
    }

    boolean isFull() {
        return parts == MOST_PARTS;
    }

    /** Adds a part, for which there is room; it may have no bytes. */
    void add(MemorySegment segment, long offset, int length) {
        segments[parts] = segment;
        offsets[parts] = offset;
        lengths[parts] = length;
        parts++;
        bytes += length;
    }

    /** How many parts there are, with those that have no bytes. */
    int count() {
        return parts;
    }

    /** Bytes in all parts. */
    long bytes() {
        return bytes;
    }

    MemorySegment segment(int part) {
        return segments[part];
    }

    long offset(int part) {
        return offsets[part];
    }

    int length(int part) {
        return lengths[part];
    }

    /** Copies bytes out of the parts, from position {@code from} on; there are that many. */
    void copyOut(long from, MemorySegment to, long toOffset, int count) {
        long skip = from;
        long at = toOffset;
        int left = count;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(left, lengths[i] - skip);
            MemorySegment.copy(segments[i], offsets[i] + skip, to, at, piece);
            at += piece;
            left -= piece;
            skip = 0;
        }
    }

    /** Copies bytes into the parts, from position {@code to} on; there is room. */
    void copyIn(MemorySegment from, long fromOffset, long to, int count) {
        long skip = to;
        long at = fromOffset;
        int left = count;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int piece = (int) Math.min(left, lengths[i] - skip);
            MemorySegment.copy(from, at, segments[i], offsets[i] + skip, piece);
            at += piece;
            left -= piece;
            skip = 0;
        }
    }
}
