package io.doorbell.igb;

import io.doorbell.dma.DmaRegion;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.pci.Bar;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

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
 * <p>Going round the ring, first come the descriptors from {@code arm} to {@code next}, which have been read and wait for
 * a fresh buffer; then those from {@code next} to {@code arm}, which the device owns or has just filled. One descriptor
 * always stays unarmed: a tail that met the head would say that the ring is empty.
 */
final class IgbRxRing implements RxQueue {

    /** Descriptors are armed so many at a time: one doorbell for all, and well behind where the device writes. */
    static final int REARM = 32;

    private static final int DESCRIPTOR = 16;
    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    private static final long DD = 1L;
    private static final long EOP = 1L << 1;
    private static final long RXE = 1L << 31;
    private static final int LENGTH_SHIFT = 32;
    private static final int LENGTH_MASK = 0xffff;

    private final String name;
    private final Bar bar;
    private final int tailRegister;
    private final DmaRegion memory;
    private final MemorySegment ring;
    private final int size;
    private final FramePool pool;
    private final long poolAddress;
    private final int largest;

    /** Which buffer each descriptor was armed with. */
    private final int[] buffers;

    private final int[] fresh = new int[REARM];
    private int next;
    private int arm;
    private int unarmed;
    private boolean running;
    private long dropped;

    /**
     * Lays the ring out in {@code memory}.
     *
     * @param tailRegister where RDT of this queue is in {@code bar}
     * @param size descriptors
     * @param poolAddress where the device finds the start of {@code pool}'s memory
     * @param largest bytes that the device may write into a buffer, behind the headroom
     */
    IgbRxRing(
            String name,
            Bar bar,
            int tailRegister,
            DmaRegion memory,
            int size,
            FramePool pool,
            long poolAddress,
            int largest) {
        this.name = name;
        this.bar = bar;
        this.tailRegister = tailRegister;
        this.memory = memory;
        this.ring = memory.segment();
        this.size = size;
        this.pool = pool;
        this.poolAddress = poolAddress;
        this.largest = largest;
        this.buffers = new int[size];
    }

    /** Bytes of memory that a ring needs. */
    static long bytes(int size) {
        return (long) size * DESCRIPTOR;
    }

    long deviceAddress() {
        return memory.deviceAddress();
    }

    @Override
    public int receive(FrameBatch batch) {
        if (!running) {
            throw new IllegalStateException(name + " is stopped");
        }
        final MemorySegment ring = this.ring;
        final int armed = size - 1 - unarmed;
        final int room = batch.room();
        int next = this.next;
        int seen = 0;
        int received = 0;
        while (seen < armed && received < room) {
            // Acquire: the device wrote the frame before it wrote DD, so it is to be read after DD (7.1.5).
            long status = (long) WORD.getAcquire(ring, (long) next * DESCRIPTOR + 8);
            if ((status & DD) == 0) {
                break;
            }
            int length = (int) (status >>> LENGTH_SHIFT) & LENGTH_MASK;
            if ((status & (EOP | RXE)) == EOP && length > 0 && length <= largest) {
                batch.append(pool, buffers[next], FramePool.HEADROOM, length);
                received++;
            } else if (!drop(next, status, length)) {
                break;
            }
            next = next + 1 == size ? 0 : next + 1;
            seen++;
        }
        this.next = next;
        unarmed += seen;
        if (unarmed >= REARM) {
            rearm();
        }
        return received;
    }

    /** Arms all descriptors that have been read, or as many as the pool has buffers for, with one doorbell. */
    private void rearm() {
        final MemorySegment ring = this.ring;
        int arm = this.arm;
        int taken;
        do {
            taken = pool.take(fresh, 0, Math.min(unarmed, REARM));
            for (int i = 0; i < taken; i++) {
                int buffer = fresh[i];
                buffers[arm] = buffer;
                long descriptor = (long) arm * DESCRIPTOR;
                WORD.setOpaque(ring, descriptor, poolAddress + pool.position(buffer) + FramePool.HEADROOM);
                WORD.setOpaque(ring, descriptor + 8, 0L);
                arm = arm + 1 == size ? 0 : arm + 1;
            }
            unarmed -= taken;
        } while (taken == REARM);
        if (arm != this.arm) {
            this.arm = arm;
            // The doorbell is a release: the device finds the descriptors whole when it sees the new tail (7.1.4).
            bar.write32(tailRegister, arm);
        }
    }

    /**
     * Sorts out a descriptor that is done but holds no good frame.
     *
     * @return true when the frame was dropped, false when there is none yet
     */
    private boolean drop(int index, long status, int length) {
        if (length == 0) {
            // QEMU's igb may store a status twice, and the second one may hit a descriptor that has been armed again
            // since. There is no frame in it: undo it, unless the device has just filled the descriptor after all.
            WORD.compareAndSet(ring, (long) index * DESCRIPTOR + 8, status, 0L);
            return false;
        }
        if (length > largest) {
            running = false;
            throw new BrokenDeviceException(String.format(
                    "%s: the device says that it wrote %d bytes into a buffer of %d (descriptor %d, status 0x%016x);"
                            + " the queue has stopped",
                    name, length, largest, index, status));
        }
        fresh[0] = buffers[index];
        pool.give(fresh, 0, 1);
        dropped++;
        return true;
    }

    /** Arms the ring, whose registers have been set up for head and tail 0, and lets frames in. */
    void start() {
        next = 0;
        arm = 0;
        unarmed = size - 1;
        running = true;
        rearm();
    }

    /** Gives back all buffers. The device must have let go of the ring. */
    void stop() {
        running = false;
        for (int armed = size - 1 - unarmed; armed > 0; armed--) {
            pool.give(buffers, next, 1);
            next = next + 1 == size ? 0 : next + 1;
        }
        unarmed = size - 1;
    }

    /** Frames that arrived damaged, or in more than one buffer, and were dropped. */
    long dropped() {
        return dropped;
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
