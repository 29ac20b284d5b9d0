package io.doorbell.igb.ring;

import io.doorbell.dma.DmaRegion;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A ring of advanced receive descriptors, one buffer each (82576 data sheet, 7.1.5 and 7.1.8).
 *
 * <p>A descriptor is 16 bytes. The driver writes it as
 *
 * <pre>
 *   0  address of the buffer
 *   8  address of the header buffer: 0, for there is none
 * </pre>
 *
 * and the device, when a frame is in the buffer, writes over it
 *
 * <pre>
 *   0  packet type, RSS hash
 *   8  status and error (32 bits: DD 0, EOP 1, RXE 31) | length (16) | VLAN tag (16)
 * </pre>
 *
 * <p>Going round the ring, first come the descriptors from {@code refillFrom} to {@code next}, which have been read and wait for
 * a fresh buffer; then those from {@code next} to {@code refillFrom}, which the device owns or has just filled. One descriptor
 * always stays free: a tail that met the head would say that the ring is empty.
 *
 * <p>A thread polls it through its gate; the thread that starts and stops it shuts the gate before.
 */
public final class IgbRxRing implements RxQueue {

    private static final int DESCRIPTOR = 16;

    /** How many descriptors ahead to look first when frames may have arrived. */
    private static final int LOOK_AHEAD = 8;

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
    private static final VarHandle STATUS = WORD.varHandle();

    private static final long DD = 1L;
    private static final long EOP = 1L << 1;
    private static final long RXE = 1L << 31;
    private static final int LENGTH_SHIFT = 32;
    private static final int LENGTH_MASK = 0xffff;

    /** What a poll of a queue is told whose NIC was stopped. */
    static final String WHEN_STOPPED = "Nic.start starts it again";

    private final PollGate gate;
    private final QueueState state;
    private final Bar bar;
    private final int tailRegister;
    private final DmaRegion memory;
    private final MemorySegment ring;
    private final int size;
    private final FramePool pool;
    private final long poolAddress;
    private final int largest;

    /** Which buffer each descriptor was refilled with. */
    private final int[] buffers;

    /** Descriptors that have been read are posted again when there are so many. */
    private final int refillThreshold;

    private int next;
    private int refillFrom;
    private int freeCount;

    private final StallWatch stall;

    /** Counted inside the gate, and read outside. */
    private final AtomicLong dropped = new AtomicLong();

    /**
     * Lays the ring out in {@code memory}.
     *
     * @param tailRegister where RDT of this queue is in {@code bar}
     * @param size descriptors
     * @param poolAddress where the device finds the start of {@code pool}'s memory
     * @param largest bytes that the device may write into a buffer, behind the headroom
     */
    public IgbRxRing(
            String name,
            Bar bar,
            int tailRegister,
            DmaRegion memory,
            int size,
            FramePool pool,
            long poolAddress,
            int largest) {
        this.gate = new PollGate(name);
        this.state = new QueueState(name, WHEN_STOPPED);
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.memory = memory;
        this.ring = memory.segment();
        this.size = size;
        this.pool = pool;
        this.poolAddress = poolAddress;
        this.largest = largest;
        this.buffers = new int[size];
        this.refillThreshold = refillThreshold(size);
        this.stall = StallWatch.starved(name);
    }

    /**
     * How many descriptors of a ring are posted at a time, well behind where the device writes. Three quarters of the ring
     * at least are the device's to put a burst into. Fewer at a time would not help it much, and each doorbell interrupts
     * the device: QEMU's looks at all of its queues then, and whoever rings waits until it is done with what it is at.
     */
    public static int refillThreshold(int size) {
        return size / 4;
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
    public int receive(FrameBatch batch) {
        if (!gate.enter()) {
            return gate.turnedAway();
        }
        try {
            return poll(batch);
        } finally {
            gate.leave();
        }
    }

    private int poll(FrameBatch batch) {
        if (!state.isRunning()) {
            throw state.notRunning();
        }
        final int done = done(Math.min(batch.remaining(), size - 1 - freeCount));
        int received = 0;
        if (done > 0) {
            int beforeTheEnd = Math.min(done, size - next);
            received = take(batch, beforeTheEnd);
            if (done > beforeTheEnd && next == 0) {
                received += take(batch, done - beforeTheEnd);
            }
        }
        if (freeCount >= refillThreshold) {
            refill();
        }
        return received;
    }

    /**
     * How many descriptors, {@code most} at most, the device is done with. It writes them back in order (7.1.8), so
     * that one answers for those before it: most need not be looked at here.
     */
    private int done(int most) {
        int done = 0;
        while (done + LOOK_AHEAD <= most && isDone(next + done + LOOK_AHEAD - 1)) {
            done += LOOK_AHEAD;
        }
        while (done < most && isDone(next + done)) {
            done++;
        }
        return done;
    }

    private boolean isDone(int position) {
        int index = position < size ? position : position - size;
        // Acquire: the device wrote the frame before it wrote DD, so it is to be read after DD (7.1.5).
        return ((long) STATUS.getAcquire(ring, (long) index * DESCRIPTOR + 8) & DD) != 0;
    }

    /**
     * Moves frames from {@code count} descriptors to the batch, which has room. They do not go round the end of the
     * ring. The device is done with them, so they are read plainly: nothing else changes them, and the compiler can make
     * one check of the ring's memory for all of them.
     *
     * @return how many frames there were; {@code next} is behind the last descriptor that was done with
     */
    private int take(FrameBatch batch, int count) {
        final MemorySegment ring = this.ring;
        final FramePool pool = this.pool;
        final int[] buffers = this.buffers;
        final int largest = this.largest;
        final int first = next;
        final int end = first + count;
        int received = 0;
        int index = first;
        try {
            for (; index < end; index++) {
                long status = ring.get(WORD, (long) index * DESCRIPTOR + 8);
                int length = (int) (status >>> LENGTH_SHIFT) & LENGTH_MASK;
                if ((status & (DD | EOP | RXE)) == (DD | EOP) && length > 0 && length <= largest) {
                    batch.append(pool, buffers[index], FramePool.HEADROOM, length);
                    received++;
                } else if (!drop(index, status, length)) {
                    break;
                }
            }
        } finally {
            next = index == size ? 0 : index;
            freeCount += index - first;
        }
        return received;
    }

    /** Refills all descriptors that have been read, or as many as the pool has buffers for, with one doorbell. */
    private void refill() {
        int refillFrom = this.refillFrom;
        int wanted;
        int taken;
        do {
            wanted = Math.min(freeCount, size - refillFrom);
            taken = pool.allocate(buffers, refillFrom, wanted);
            write(refillFrom, refillFrom + taken);
            refillFrom = refillFrom + taken == size ? 0 : refillFrom + taken;
            freeCount -= taken;
        } while (taken == wanted && freeCount > 0);
        if (refillFrom != this.refillFrom) {
            this.refillFrom = refillFrom;
            // The doorbell is a release: the device finds the descriptors whole when it sees the new tail (7.1.4).
            bar.write32(tailRegister, refillFrom);
        } else {
            stall.stuck(buffers, refillFrom);
        }
    }

    /** Writes descriptors that the device does not look at before the tail has moved. */
    private void write(int from, int to) {
        final MemorySegment ring = this.ring;
        final FramePool pool = this.pool;
        final int[] buffers = this.buffers;
        final long start = poolAddress + FramePool.HEADROOM;
        for (int index = from; index < to; index++) {
            ring.set(WORD, (long) index * DESCRIPTOR, start + pool.position(buffers[index]));
            ring.set(WORD, (long) index * DESCRIPTOR + 8, 0L);
        }
    }

    /**
     * Sorts out a descriptor that is done but holds no good frame.
     *
     * @return true when the frame was dropped, false when there is none yet
     */
    private boolean drop(int index, long status, int length) {
        if ((status & DD) == 0) {
            return false;
        }
        if (length == 0) {
            // QEMU's igb may store a status twice, and the second one may hit a descriptor that has been posted again
            // since. There is no frame in it: undo it, unless the device has just filled the descriptor after all.
            STATUS.compareAndSet(ring, (long) index * DESCRIPTOR + 8, status, 0L);
            return false;
        }
        if (length > largest) {
            throw state.broken(String.format(
                    "the device says that it wrote %d bytes into a buffer of %d (descriptor %d, status 0x%016x)",
                    length, largest, index, status));
        }
        pool.free(buffers, index, 1);
        dropped.setOpaque(dropped.getPlain() + 1);
        return true;
    }

    /** Fills the ring, whose registers have been set up for head and tail 0, and lets frames in. */
    public void start() {
        next = 0;
        refillFrom = 0;
        freeCount = size - 1;
        state.start();
        refill();
    }

    /** Lets no poll do anything any more; the buffers stay, since the device may still write to them. */
    public void halt() {
        state.stop();
    }

    /** Gives back all buffers of a ring that was halted. The device must have let go of it. */
    public void empty() {
        for (int posted = size - 1 - freeCount; posted > 0; posted--) {
            pool.free(buffers, next, 1);
            next = next + 1 == size ? 0 : next + 1;
        }
        freeCount = size - 1;
    }

    /** Frames that arrived damaged, or in more than one buffer, and were dropped. */
    public long dropped() {
        return dropped.getOpaque();
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
