package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.spi.PoolRegistrations;
import java.lang.foreign.MemorySegment;

/**
 * Makes frames ready for the device: checks them and puts the header (5.1.6) in front, into their headroom. Belongs to
 * one transmit queue.
 */
final class TxFrames {

    /** An Ethernet header. */
    static final int SHORTEST = 14;

    /** A header of 10 bytes is cleared as one of 12: what lies in front of it belongs to the frame as well. */
    private static final int CLEARED = 12;

    /** What changes the frame and is not set up by this driver. Sending it as it is would be a silent lie. */
    private static final int UNABLE = Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.VLAN_TAG;

    /** Bytes in the header. */
    final int header;

    private final String name;
    private final int longest;
    private final PoolRegistrations pools;

    /** The pool of the latest frame; the next one is most likely from the same. */
    private FramePool pool;

    private int slot;
    private long poolAddress;

    /**
     * @param longest bytes in the longest frame that may be sent
     * @param header 10 or 12
     */
    TxFrames(String name, PoolRegistrations pools, int longest, int header) {
        this.name = name;
        this.pools = pools;
        this.longest = longest;
        this.header = header;
        this.pool = pools.pool(0);
        this.poolAddress = pools.deviceAddress(0);
    }

    /**
     * Writes the header of a frame.
     *
     * @return where the device finds the header, and the frame behind it
     * @throws DoorbellException when the frame cannot be sent
     */
    long prepare(Frame frame) {
        int length = frame.length();
        if (length < SHORTEST || length > longest || frame.headroom() < CLEARED) {
            checkLength(length);
            makeHeadroom(frame);
        }
        if ((frame.offloads() & UNABLE) != 0) {
            throw unable(frame.offloads());
        }
        if (frame.pool() != pool) {
            remember(frame.pool());
        }
        MemorySegment memory = frame.memory();
        long position = frame.position();
        // Mostly it is clear from the last time, and what is not written need not travel back from the cache.
        if ((memory.get(Words.PLAIN_LONG, position - 12) | memory.get(Words.PLAIN_INT, position - 4)) != 0) {
            memory.set(Words.PLAIN_LONG, position - 12, 0L);
            memory.set(Words.PLAIN_INT, position - 4, 0);
        }
        return poolAddress + position - header;
    }

    /** The slot of the pool of the frame that was prepared last. */
    int slot() {
        return slot;
    }

    FramePool pool(int slot) {
        return pools.pool(slot);
    }

    private void checkLength(int length) {
        if (length < SHORTEST || length > longest) {
            throw new DoorbellException(name + ": cannot send a frame of " + length + " bytes: it takes " + SHORTEST
                    + " (an Ethernet header) to " + longest);
        }
    }

    /** Moves a frame that starts at the very front of its buffer towards the end, where there is as much room as that. */
    private void makeHeadroom(Frame frame) {
        int shift = CLEARED - frame.headroom();
        if (shift <= 0) {
            return;
        }
        int length = frame.length();
        frame.length(length + shift);
        MemorySegment memory = frame.memory();
        // Copies as if through a buffer of its own, so that the two may overlap.
        MemorySegment.copy(memory, frame.position(), memory, frame.position() + shift, length);
        frame.moveStart(shift);
    }

    private DoorbellException unable(int offloads) {
        return new DoorbellException(name + ": cannot do for a frame what is asked: "
                + Offloads.toString(offloads & UNABLE) + "; do it in software and call Frame.clearOffloads");
    }

    private void remember(FramePool pool) {
        slot = pools.slot(pool);
        poolAddress = pools.deviceAddress(slot);
        this.pool = pool;
    }
}
