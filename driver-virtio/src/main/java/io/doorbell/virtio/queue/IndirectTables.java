package io.doorbell.virtio.queue;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/**
 * Tables of indirect descriptors (2.7.5.3, 2.8.7), one for each descriptor of a transmit queue: with them, a frame in many
 * buffers takes one place in the ring, as any other.
 */
public final class IndirectTables {

    /** Descriptors in a table. The largest frame of all has fewer pieces, in buffers that can hold a usual one. */
    public static final int MOST = 64;

    private static final int DESCRIPTOR = 16;
    private static final int TABLE = MOST * DESCRIPTOR;

    // VIRTQ_DESC_F_NEXT, and the number of the next one, where they are in a split descriptor's second word.
    private static final long NEXT = 1L << 32;
    private static final int NEXT_SHIFT = 48;

    private final DmaRegion region;
    private final MemorySegment memory;
    private final boolean packed;

    IndirectTables(DmaSpace space, int size, boolean packed) {
        this.region = space.allocate((long) size * TABLE);
        this.memory = region.segment();
        this.packed = packed;
    }

    void discard() {
        region.close();
    }

    /** Where the device finds the table of a descriptor. */
    long address(int id) {
        return region.deviceAddress() + (long) id * TABLE;
    }

    /** Bytes in a table that describes so many slots. */
    static int bytes(int slots) {
        return slots * DESCRIPTOR;
    }

    /** Describes a frame that was prepared, and remembers its buffers, in the table of descriptor {@code id}. */
    void describe(int id, FrameBatch batch, int from, int slots, TxFrames frames, TxBuffers buffers) {
        for (int i = 0; i < slots; i++) {
            Frame slot = batch.frame(from + i);
            // The header goes before the first.
            int header = i == 0 ? frames.header : 0;
            long at = (long) id * TABLE + (long) i * DESCRIPTOR;
            boolean last = i == slots - 1;
            // In the packed layout descriptors of a table follow one another, and have no flags that mean anything.
            long next = packed || last ? 0 : NEXT | (i + 1L) << NEXT_SHIFT;
            memory.set(LittleEndian.PLAIN_LONG, at, frames.address(slot) - header);
            memory.set(LittleEndian.PLAIN_LONG, at + 8, next | (header + slot.length()));
            if (i == 0) {
                buffers.put(id, frames.handle(slot));
            } else {
                buffers.putMore(id, frames.handle(slot));
            }
        }
    }
}
