package io.doorbell.igb.ring;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A ring of advanced transmit data descriptors, one frame each (82576 data sheet, 7.2.2).
 *
 * <p>A descriptor is 16 bytes. The driver writes it as
 *
 * <pre>
 *   0  address of the frame
 *   8  DTALEN (16) | DTYP 20 | EOP 24, IFCS 25, RS 27, DEXT 29 | DD 32 (0) | PAYLEN 46 (18)
 * </pre>
 *
 * and the device sets DD when it has read the frame, if the driver had set RS. RS is set on the last descriptor of a
 * batch only: the device works in order, so its DD stands for all of them, and the device writes back once a batch.
 *
 * <p>Going round the ring, the descriptors from {@code clean} to {@code tail} are the device's, or done and not looked
 * at yet. The others are free, and one of them always stays so: a tail that met the head would say that the ring is
 * empty.
 *
 * <p>A thread polls it through its gate; the thread that starts and stops it shuts the gate before.
 */
public final class IgbTxRing implements TxQueue {

    /** What the device sends without complaint: a header at least, a full frame with a VLAN tag at most. */
    public static final int SHORTEST = 14;

    public static final int LONGEST = 1518;

    /** Shorter frames are padded with zeros to this, the 64 bytes of IEEE 802.3 without the check sequence. */
    private static final int PADDED = 60;

    /** What changes the frame and is not set up by this driver. Sending it as it is would be a silent lie. */
    private static final int UNABLE =
            Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.VLAN_TAG | Offloads.MORE_SEGMENTS;

    private static final SendLimits LIMITS = SendLimits.plain(SHORTEST, LONGEST);

    private static final int DESCRIPTOR = 16;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
    private static final VarHandle STATUS = WORD.varHandle();

    private static final long DTYP_DATA = 3L << 20;
    private static final long EOP = 1L << 24;
    private static final long IFCS = 1L << 25;
    private static final long RS = 1L << 27;
    private static final long DEXT = 1L << 29;
    private static final long WHOLE_FRAME = DTYP_DATA | EOP | IFCS | DEXT;
    private static final long DD = 1L << 32;
    private static final int PAYLEN_SHIFT = 46;

    private final String name;
    private final PollGate gate;
    private final QueueState state;
    private final Bar bar;
    private final int tailRegister;
    private final DmaRegion memory;
    private final MemorySegment ring;
    private final int size;
    private final PoolRegistrations pools;

    /** Of each descriptor that is not free: its buffer, and the slot of the buffer's pool. */
    private final int[] buffers;

    private final int[] slots;

    /** Of the first descriptor of each batch: the last one. */
    private final int[] last;

    /** Sent frames are looked for when fewer descriptors are free. */
    private final int lowWater;

    private final StallWatch stall;

    private int clean;
    private int tail;
    private int free;

    /** The pool of the latest frame; the next one is most likely from the same. */
    private FramePool pool;

    private int slot;
    private long poolAddress;

    public IgbTxRing(String name, Bar bar, int tailRegister, DmaRegion memory, int size, PoolRegistrations pools) {
        this.name = name;
        this.gate = new PollGate(name);
        this.state = new QueueState(name, IgbRxRing.WHEN_STOPPED);
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.memory = memory;
        this.ring = memory.segment();
        this.size = size;
        this.pools = pools;
        this.buffers = new int[size];
        this.slots = new int[size];
        this.last = new int[size];
        this.lowWater = size / 2;
        this.stall = StallWatch.full(name);
        this.pool = pools.pool(0);
        this.poolAddress = pools.deviceAddress(0);
    }

    /** Bytes of memory that a ring needs. */
    public static long bytes(int size) {
        return (long) size * DESCRIPTOR;
    }

    public long deviceAddress() {
        return memory.deviceAddress();
    }

    /** Where the threads that poll pass through. */
    public PollGate gate() {
        return gate;
    }

    @Override
    public int send(FrameBatch batch) {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return post(batch);
        } finally {
            gate.leave();
        }
    }

    private int post(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        if (free < Math.max(lowWater, batch.size())) {
            collect();
        }
        final int count = Math.min(batch.size(), free);
        if (count == 0) {
            return nothing(batch);
        }
        final int beforeTheEnd = Math.min(count, size - tail);
        write(batch, 0, beforeTheEnd, tail);
        write(batch, beforeTheEnd, count, 0);
        final int end = wrapped(tail + count - 1);
        ring.set(WORD, (long) end * DESCRIPTOR + 8, ring.get(WORD, (long) end * DESCRIPTOR + 8) | RS);
        last[tail] = end;
        batch.detach(count);
        tail = wrapped(end + 1);
        free -= count;
        // The doorbell is a release: the device finds descriptors and frames whole when it sees the new tail (7.2.2).
        bar.write32(tailRegister, tail);
        return count;
    }

    private int nothing(FrameBatch batch) {
        if (!batch.isEmpty()) {
            stall.stuck(last, tail); // where the next batch would start
        }
        return 0;
    }

    /**
     * Writes the descriptors from {@code index} on for frames {@code from} to before {@code to}. They do not go round
     * the end of the ring. The device does not look at them before the tail has moved, so they are written plainly.
     */
    private void write(FrameBatch batch, int from, int to, int index) {
        final MemorySegment ring = this.ring;
        final int[] buffers = this.buffers;
        final int[] slots = this.slots;
        final int shift = index - from;
        for (int i = from; i < to; i++) {
            Frame frame = batch.frame(i);
            int length = frame.length();
            if (length < PADDED || length > LONGEST) {
                length = padded(frame, length);
            }
            if ((frame.offloads() & UNABLE) != 0) {
                throw unable(frame.offloads());
            }
            if (frame.pool() != pool) {
                remember(frame.pool());
            }
            buffers[i + shift] = frame.buffer();
            slots[i + shift] = slot;
            long descriptor = (long) (i + shift) * DESCRIPTOR;
            ring.set(WORD, descriptor, poolAddress + frame.position());
            ring.set(WORD, descriptor + 8, WHOLE_FRAME | length | (long) length << PAYLEN_SHIFT);
        }
    }

    @Override
    public SendLimits limits() {
        return LIMITS;
    }

    @Override
    public int reclaim() {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return collect();
        } finally {
            gate.leave();
        }
    }

    /** As {@link #reclaim}, for whoever is inside the gate or has shut it. */
    public int collect() {
        while (free < size - 1) {
            int end = last[clean];
            // Acquire: the buffers may be written again only after DD was seen (7.2.2).
            if (((long) STATUS.getAcquire(ring, (long) end * DESCRIPTOR + 8) & DD) == 0) {
                break;
            }
            giveBackUpTo(wrapped(end + 1));
        }
        return size - 1 - free;
    }

    /** Frees the descriptors from {@code clean} to before {@code end}, whose buffers go back in runs of one pool. */
    private void giveBackUpTo(int end) {
        do {
            int from = clean;
            int to = from + 1;
            int stop = end > from ? end : size;
            while (to < stop && slots[to] == slots[from]) {
                to++;
            }
            pools.pool(slots[from]).free(buffers, from, to - from);
            free += to - from;
            clean = wrapped(to);
        } while (clean != end);
    }

    /** Makes a short frame as long as it must be; throws for one that is too short or too long to be a frame. */
    private int padded(Frame frame, int length) {
        if (length < SHORTEST || length > LONGEST) {
            throw new DoorbellException(name + ": cannot send a frame of " + length + " bytes: it takes " + SHORTEST
                    + " (an Ethernet header) to " + LONGEST + " (1500 bytes behind a header with a VLAN tag)");
        }
        frame.length(PADDED);
        frame.memory().asSlice(frame.position() + length, PADDED - length).fill((byte) 0);
        return PADDED;
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

    /** Opens the ring, whose registers have been set up for head and tail 0. */
    public void start() {
        clean = 0;
        tail = 0;
        free = size - 1;
        state.start();
    }

    /** Lets no poll send anything any more; the buffers stay, since the device may still read them. */
    public void halt() {
        state.stop();
    }

    /** Gives back the buffers of all frames of a ring that was halted. The device must have let go of it. */
    public void empty() {
        if (free < size - 1) {
            giveBackUpTo(tail);
        }
    }

    private int wrapped(int index) {
        return index < size ? index : index - size;
    }
}
