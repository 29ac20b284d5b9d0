package io.doorbell.igb.ring;

import static io.doorbell.igb.ring.RxDescriptor.DD;
import static io.doorbell.igb.ring.RxDescriptor.EOP;
import static io.doorbell.igb.ring.RxDescriptor.RXE;

import io.doorbell.dma.DmaRegion;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.QueueState;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A ring of advanced receive descriptors, one buffer each (82576 data sheet, 7.1.5 and 7.1.8; {@link RxDescriptor}).
 *
 * <p>Going round the ring, first come the descriptors from {@code refillFrom} to {@code next}, which have been read and wait for
 * a fresh buffer; then those from {@code next} to {@code refillFrom}, which the device owns or has just filled. One descriptor
 * always stays free: a tail that met the head would say that the ring is empty.
 *
 * <p>A thread polls it through its gate; the thread that starts and stops it shuts the gate before.
 */
public final class IgbRxRing implements RxQueue {

    private static final int DESCRIPTOR = RxDescriptor.BYTES;

    /** How many descriptors ahead to look first when frames may have arrived. */
    private static final int LOOK_AHEAD = 8;

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
    private static final VarHandle STATUS = WORD.varHandle();

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
    private final boolean plain;
    private final boolean several;
    private final boolean checksums;

    /** Which buffer each descriptor was refilled with. */
    private final int[] buffers;

    /** Descriptors that have been read are posted again when there are so many. */
    private final int refillThreshold;

    private int next;
    private int refillFrom;
    private int freeCount;

    private final StallWatch stall;

    private final QueueCounters counters = new QueueCounters();

    /**
     * Lays the ring out in {@code memory}.
     *
     * @param tailRegister where RDT of this queue is in {@code bar}
     * @param size descriptors
     * @param poolAddress where the device finds the start of {@code pool}'s memory
     * @param format how frames arrive
     */
    public IgbRxRing(
            String name,
            Bar bar,
            int tailRegister,
            DmaRegion memory,
            int size,
            FramePool pool,
            long poolAddress,
            RxFormat format) {
        this.gate = new PollGate(name);
        this.state = new QueueState(name, WHEN_STOPPED);
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.memory = memory;
        this.ring = memory.segment();
        this.size = size;
        this.pool = pool;
        this.poolAddress = poolAddress;
        this.largest = format.room();
        this.plain = format.isPlain();
        this.several = format.several();
        this.checksums = format.checksums();
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
        final int received = plain ? takePlain(batch) : takeDescribed(batch);
        if (freeCount >= refillThreshold) {
            refill();
        }
        return received;
    }

    private int takePlain(FrameBatch batch) {
        final int done = done(Math.min(batch.remaining(), size - 1 - freeCount));
        int received = 0;
        if (done > 0) {
            int beforeTheEnd = Math.min(done, size - next);
            received = take(batch, beforeTheEnd);
            if (done > beforeTheEnd && next == 0) {
                received += take(batch, done - beforeTheEnd);
            }
            counters.frames += received;
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
        int index = wrapped(position);
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
        long bytes = 0;
        int index = first;
        try {
            for (; index < end; index++) {
                long status = ring.get(WORD, (long) index * DESCRIPTOR + 8);
                int length = RxDescriptor.length(status);
                if ((status & (DD | EOP | RXE)) == (DD | EOP) && length > 0 && length <= largest) {
                    batch.append(pool, buffers[index], FramePool.HEADROOM, length);
                    received++;
                    bytes += length;
                } else if (!drop(index, status, length)) {
                    break;
                }
            }
        } finally {
            next = index == size ? 0 : index;
            freeCount += index - first;
            counters.bytes += bytes;
        }
        return received;
    }

    /**
     * Moves frames to the batch that may take several descriptors, and says of each what the device has found out.
     *
     * @return how many slots of the batch were filled
     */
    private int takeDescribed(FrameBatch batch) {
        int received = 0;
        while (batch.remaining() > 0) {
            int slots = wholeFrame();
            if (slots == 0 || (slots > batch.remaining() && slots <= batch.capacity())) {
                break;
            }
            int last = wrapped(next + slots - 1);
            if (slots <= batch.capacity() && (slots == 1 || several) && (status(last) & RXE) == 0) {
                append(batch, slots, last);
                received += slots;
                counters.frames++;
            } else {
                for (int i = 0; i < slots; i++) {
                    pool.free(buffers, wrapped(next + i), 1);
                }
                counters.errors++;
            }
            next = wrapped(last + 1);
            freeCount += slots;
        }
        return received;
    }

    /** How many descriptors the next frame takes; 0 when it is not all there yet. */
    private int wholeFrame() {
        final int posted = size - 1 - freeCount;
        for (int slots = 0; slots < posted; slots++) {
            int index = wrapped(next + slots);
            if (!isDone(index)) {
                return 0;
            }
            long status = status(index);
            int length = RxDescriptor.length(status);
            if (length == 0 || length > largest) {
                requireSpurious(index, status, length);
                return 0;
            }
            if ((status & EOP) != 0) {
                return slots + 1;
            }
        }
        return 0;
    }

    private void append(FrameBatch batch, int slots, int last) {
        final int first = batch.size();
        for (int i = 0; i < slots; i++) {
            int index = wrapped(next + i);
            int length = RxDescriptor.length(status(index));
            Frame slot = batch.append(pool, buffers[index], FramePool.HEADROOM, length);
            counters.bytes += length;
            if (index != last) {
                slot.addOffloads(Offloads.MORE_SEGMENTS);
            }
        }
        long types = ring.get(WORD, (long) last * DESCRIPTOR);
        RxDescriptor.describe(batch.frame(first), types, status(last), checksums);
    }

    /** Of a descriptor that the device is known to be done with, so that it is read plainly. */
    private long status(int index) {
        return ring.get(WORD, (long) index * DESCRIPTOR + 8);
    }

    private int wrapped(int index) {
        return index < size ? index : index - size;
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
            counters.kicks++;
        } else {
            counters.starved++;
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
        if (length == 0 || length > largest) {
            requireSpurious(index, status, length);
            return false;
        }
        pool.free(buffers, index, 1);
        counters.errors++;
        return true;
    }

    /**
     * A length that cannot be. QEMU's igb may store a status twice, and the second one may hit a descriptor that has been
     * posted again since. There is no frame in it: undo it, unless the device has just filled the descriptor after all.
     */
    private void requireSpurious(int index, long status, int length) {
        if (length != 0) {
            throw state.broken(String.format(
                    "the device says that it wrote %d bytes into a buffer of %d (descriptor %d, status 0x%016x)",
                    length, largest, index, status));
        }
        STATUS.compareAndSet(ring, (long) index * DESCRIPTOR + 8, status, 0L);
    }

    /** Fills the ring, whose registers have been set up for head and tail 0, and lets frames in. */
    public void start() {
        next = 0;
        refillFrom = 0;
        freeCount = size - 1;
        state.start();
        refill();
    }

    /**
     * Gives the device what buffers there are. Inside the gate.
     *
     * @return whether there is nothing to be done but wait: no frame has arrived, the device has buffers to receive into, and
     *     the ring runs
     */
    public boolean settle() {
        if (!state.isRunning()) {
            return false;
        }
        if (freeCount > 0) {
            refill();
        }
        return freeCount < size - 1 && !isDone(next);
    }

    /**
     * As {@link #halt}, since the device does not let go of the ring.
     *
     * @param what the device did not do
     */
    public void fail(String what) {
        state.broken(what);
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

    /** Errors are frames that arrived damaged, or in more buffers than there may be, and were dropped. */
    public QueueCounters counters() {
        return counters;
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
