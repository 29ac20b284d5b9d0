package io.doorbell.virtio.queue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.HeaderWriter;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.LittleEndian;
import java.lang.foreign.MemorySegment;

/**
 * Makes frames ready for the device: checks them and puts the header (5.1.6) in front, into their headroom. Belongs to
 * one transmit queue.
 */
public final class TxFrames {

    /** What takes a frame out of the short loops: a header that says something, or several slots. */
    private static final int UNUSUAL = HeaderWriter.ASKED | Offloads.MORE_SEGMENTS;

    /** Frames that {@link #prepare} makes ready at a time, at most. */
    private static final int BURST = 64;

    /** Bytes in the header. */
    final int header;

    // Of the frames that were made ready together: where the device finds each, with its header; how many bytes, with
    // the header; and what TxBuffers is to hold on to.
    final long[] addresses = new long[BURST];
    final int[] lengths = new int[BURST];
    final long[] holds = new long[BURST];

    /** Bytes in front of a frame that are cleared from: a header of 10 bytes counts as 12, all of it the frame's room. */
    private final int cleared;

    private final String name;
    /** Bytes in the longest frame that may be sent uncut. */
    private final int longest;

    private final HeaderWriter asked;
    private final Features features;
    private final PoolRegistrations pools;

    /** The pool of the latest frame; the next one is most likely from the same. */
    private FramePool pool;

    private MemorySegment memory;
    private int slot;
    private long poolAddress;
    private int runBytes;

    /**
     * @param longest bytes in the longest frame that may be sent uncut; {@link FrameLength#LARGEST} if the device does not say
     * @param header bytes in the header
     */
    public TxFrames(String name, PoolRegistrations pools, int longest, int header, Features features) {
        this.name = name;
        this.pools = pools;
        this.longest = longest;
        this.header = header;
        this.features = features;
        this.cleared = Math.max(header, NetHeader.BYTES);
        this.asked = new HeaderWriter(name, header, OffloadSide.DEVICE, features);
        this.pool = pools.pool(0);
        this.memory = pool.memory();
        this.poolAddress = pools.deviceAddress(0);
    }

    /**
     * Makes frames ready, from slot {@code from} on, up to one that has anything unusual about it, which is made ready by
     * itself. What the ring is to be told of them is in the arrays then: loops that do little are compiled best.
     *
     * @param most slots to look at, at least 1
     * @return how many frames there are in the arrays; 0 when the first is in several slots
     * @throws DoorbellException when a frame cannot be sent
     */
    int prepare(FrameBatch batch, int from, int most) {
        int usual = usual(batch, from, Math.min(most, BURST));
        if (usual == 0) {
            Frame frame = batch.frame(from);
            return frame.continues() ? 0 : prepareOther(frame);
        }
        clearHeaders(usual);
        for (int i = 0; i < usual; i++) {
            addresses[i] += poolAddress - header;
        }
        return usual;
    }

    /**
     * Puts into the arrays where in the pool's memory frames start, up to one that has anything unusual about it.
     *
     * @return how many
     */
    private int usual(FrameBatch batch, int from, int most) {
        final FramePool pool = this.pool;
        final int longest = this.longest;
        final int header = this.header;
        final int cleared = this.cleared;
        final int slot = this.slot;
        for (int i = 0; i < most; i++) {
            Frame frame = batch.frame(from + i);
            int length = frame.length();
            if (frame.pool() != pool
                    || length < FrameLength.SHORTEST
                    || length > longest
                    || frame.headroom() < cleared
                    || (frame.offloads() & UNUSUAL) != 0) {
                return i;
            }
            addresses[i] = frame.position();
            lengths[i] = header + length;
            holds[i] = TxBuffers.handle(slot, length, frame.buffer());
        }
        return most;
    }

    private void clearHeaders(int count) {
        final MemorySegment memory = this.memory;
        for (int i = 0; i < count; i++) {
            clearHeader(memory, addresses[i] - cleared);
        }
    }

    /** Checks a frame and writes its header. */
    private int prepareOther(Frame frame) {
        int length = frame.length();
        checkLength(frame, length, longest);
        makeHeadroom(frame);
        addresses[0] = address(frame) - header;
        lengths[0] = header + length;
        holds[0] = handle(frame);
        writeHeader(frame, frame.position());
        return 1;
    }

    private void writeHeader(Frame frame, long position) {
        if ((frame.offloads() & HeaderWriter.ASKED) != 0) {
            asked.write(frame, frame.memory(), position - header);
        } else {
            clearHeader(frame.memory(), position - cleared);
        }
    }

    private static void clearHeader(MemorySegment memory, long at) {
        // Mostly it is clear from the last time, and what is not written need not travel back from the cache.
        if ((memory.get(LittleEndian.PLAIN_LONG, at) | memory.get(LittleEndian.PLAIN_INT, at + 8)) != 0) {
            memory.set(LittleEndian.PLAIN_LONG, at, 0L);
            memory.set(LittleEndian.PLAIN_INT, at + 8, 0);
        }
    }

    /**
     * Makes a frame in several slots ready, as {@link #prepare} does with others; its pieces then are where
     * {@link #address} says.
     *
     * @param most slots that it may take
     * @return how many it takes
     * @throws DoorbellException when the frame cannot be sent
     */
    int prepareSegments(FrameBatch batch, int from, int most) {
        final int slots = batch.slots(from);
        final int bytes = batch.length(from);
        if (batch.frame(from + slots - 1).continues()) {
            throw new DoorbellException(name + ": the last frame of the batch goes on in a slot that there is not:"
                    + " send whole frames (Offloads.MORE_SEGMENTS)");
        }
        if (slots > most) {
            throw new DoorbellException(name + ": cannot send a frame in " + slots + " slots: it takes up to " + most
                    + "; use larger buffers (NicConfig.withBufferSize)");
        }
        Frame first = batch.frame(from);
        checkLength(first, bytes, longest);
        for (int i = from; i < from + slots; i++) {
            Frame slot = batch.frame(i);
            if (slot.length() < (i == from ? FrameLength.SHORTEST : 1)) {
                throw new DoorbellException(name + ": cannot send a frame of " + slots + " slots with " + slot.length()
                        + " bytes in number " + (i - from) + ": the first has the Ethernet header, and none is empty");
            }
            address(slot); // throws if the device cannot reach it
        }
        makeHeadroom(first);
        writeHeader(first, first.position());
        runBytes = bytes;
        return slots;
    }

    /**
     * What frames may be and ask for.
     *
     * @param most slots that one may take
     */
    SendLimits limits(int most) {
        return OffloadSide.DEVICE.limits(features, longest, most);
    }

    /** Bytes in the frame that {@link #prepareSegments} made ready. */
    int runBytes() {
        return runBytes;
    }

    /** Where the device finds the start of what is in a slot. */
    long address(Frame frame) {
        if (frame.pool() != pool) {
            remember(frame.pool());
        }
        return poolAddress + frame.position();
    }

    /** What to hold on to of a slot that was looked at last, as {@link TxBuffers} has it. */
    long handle(Frame frame) {
        return TxBuffers.handle(slot, frame.length(), frame.buffer());
    }

    FramePool pool(int slot) {
        return pools.pool(slot);
    }

    private void checkLength(Frame frame, int length, int uncut) {
        int most = (frame.offloads() & Offloads.SEGMENT) != 0 ? FrameLength.LARGEST : uncut;
        if (length < FrameLength.SHORTEST || length > most) {
            throw new DoorbellException(name + ": cannot send a frame of " + length + " bytes: it takes "
                    + FrameLength.SHORTEST + " (an Ethernet header) to " + most);
        }
    }

    /** Moves a frame that starts at the very front of its buffer towards the end, where there is as much room as that. */
    private void makeHeadroom(Frame frame) {
        int missing = cleared - frame.headroom();
        if (missing > 0) {
            int behind = frame.pool().bufferSize() - frame.headroom() - frame.length();
            if (missing > behind) {
                throw new DoorbellException(name + ": cannot send a frame of " + frame.length()
                        + " bytes: the device's header takes " + cleared + " bytes in front of it, where it has "
                        + frame.headroom() + ", and behind it, its buffer has " + behind + " bytes to move it by");
            }
            frame.addHeadroom(missing);
        }
    }

    private void remember(FramePool pool) {
        slot = pools.slot(pool); // throws if it is not the NIC's
        memory = pool.memory();
        poolAddress = pools.deviceAddress(slot);
        this.pool = pool;
    }
}
