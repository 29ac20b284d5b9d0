package io.doorbell.frame;

import io.doorbell.dma.PinnedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for frames, all of one size, in one piece of pinned memory. A NIC has a pool of its own unless
 * {@link NicConfig#withPool} gives it one; NICs that forward to each other share one, so that no frame is copied.
 *
 * <p>Free buffers are kept as a stack: the one that was released last, which is still in the cache, is used next.
 *
 * <p>Thread-safe: each call takes a short spin lock, once for as many frames as it moves. Threads that each use a pool
 * of their own share nothing.
 */
public final class FramePool implements AutoCloseable {

    /** Bytes in front of a fresh frame, for a header to be prepended; one cache line. */
    public static final int HEADROOM = 64;

    private static final int CACHE_LINE = 64;
    private static final int CACHE_LINE_SHIFT = 6;

    /** So that a buffer's number is an int: 128 GiB. */
    private static final long MOST_BYTES = (long) CACHE_LINE << (Integer.SIZE - 1);

    private static final int PAGE = 4096;
    /** In a second-level cache of usual size: 1 MiB in 8 ways. */
    private static final int PAGES_IN_CACHE_WAY = 32;

    private static final VarHandle LOCK;

    static {
        try {
            LOCK = MethodHandles.lookup().findVarHandle(FramePool.class, "lock", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final MemorySegment memory;
    private final Runnable free;
    /** Whose pool it is, for messages; null if it is the application's. */
    private final @Nullable String nic;

    private final int bufferSize;
    private final int[] stack;
    private int available;
    private boolean closed;

    @SuppressWarnings("UnusedVariable") // through LOCK
    private int lock;

    private FramePool(MemorySegment memory, int buffers, int bufferSize, @Nullable String nic, Runnable free) {
        this.memory = memory;
        this.bufferSize = bufferSize;
        this.nic = nic;
        this.free = free;
        this.stack = new int[buffers];
        // The first buffer on top, so that a fresh pool is used from its start.
        for (int i = 0; i < buffers; i++) {
            stack[i] = number(buffers - 1 - i, bufferSize);
        }
        available = buffers;
    }

    /**
     * Makes a pool in memory of its own, which {@link #close()} frees.
     *
     * @param buffers how many frames it holds, at least 1
     * @param bufferSize bytes in each, headroom included; rounded up to whole cache lines
     */
    public static FramePool create(int buffers, int bufferSize) {
        PinnedMemory memory = PinnedMemory.allocate(bytesFor(buffers, bufferSize));
        return new FramePool(memory.segment(), buffers, bufferSize, null, memory::close);
    }

    /**
     * Makes a pool in memory of the caller's, which must outlive it.
     *
     * @param memory at least {@link #bytesFor} bytes, pinned
     */
    public static FramePool in(MemorySegment memory, int buffers, int bufferSize) {
        return in(memory, buffers, bufferSize, null);
    }

    /**
     * For drivers: makes a NIC's own pool, in memory that is freed when the NIC is closed. Whoever uses the pool, or one of
     * its frames, afterwards gets a {@link NicClosedException}.
     *
     * @param memory at least {@link #bytesFor} bytes, pinned
     * @param nic the NIC's name
     */
    public static FramePool of(String nic, MemorySegment memory, int buffers, int bufferSize) {
        return in(memory, buffers, bufferSize, nic);
    }

    private static FramePool in(MemorySegment memory, int buffers, int bufferSize, @Nullable String nic) {
        long needed = bytesFor(buffers, bufferSize);
        if (memory.byteSize() < needed) {
            throw new IllegalArgumentException(buffers + " buffers of " + bufferSize + " bytes need " + needed
                    + " bytes of memory, not " + memory.byteSize());
        }
        if (!memory.isNative() || memory.isReadOnly()) {
            throw new IllegalArgumentException(
                    "a pool's memory is native and not read-only, since devices write to it: " + memory);
        }
        return new FramePool(memory, buffers, bufferSize, nic, () -> {});
    }

    /** Bytes of memory that a pool of this shape needs. */
    public static long bytesFor(int buffers, int bufferSize) {
        if (buffers < 1 || bufferSize <= HEADROOM || bufferSize > 1 << 16) {
            throw new IllegalArgumentException("a pool has at least one buffer, of " + (HEADROOM + 1)
                    + " to 65536 bytes: buffers=" + buffers + " bufferSize=" + bufferSize);
        }
        long bytes = (long) buffers * stride(bufferSize);
        if (bytes > MOST_BYTES) {
            throw new IllegalArgumentException(buffers + " buffers of " + bufferSize + " bytes take " + bytes
                    + " bytes; a pool has up to " + MOST_BYTES);
        }
        return bytes;
    }

    /**
     * Bytes from one slot for a buffer to the next: a power of two, so that none crosses a page. A device behind an
     * IOMMU then needs one translation for a frame; and QEMU's devices drop a frame whose pages are not neighbours in
     * the memory of the machine. A buffer that is larger than a page takes an odd number of cache lines.
     */
    private static int stride(int bufferSize) {
        if (bufferSize > PAGE) {
            return (lines(bufferSize) | 1) * CACHE_LINE;
        }
        return Math.max(CACHE_LINE, Integer.highestOneBit(2 * bufferSize - 1));
    }

    /**
     * By how many cache lines a buffer may be shifted in its slot: one less than a power of two, as the slot has room
     * for. So the starts of the buffers, which all are used, spread over the sets of the cache.
     */
    private static int shiftMask(int bufferSize, int stride) {
        int spareLines = stride / CACHE_LINE - lines(bufferSize);
        return Integer.highestOneBit(spareLines + 1) - 1;
    }

    /** The number of the {@code index}-th buffer: the cache line that it starts at. */
    private static int number(int index, int bufferSize) {
        int stride = stride(bufferSize);
        // Pages that far apart share the sets of a second-level cache: their buffers are to be shifted differently.
        int round = index / PAGES_IN_CACHE_WAY;
        return index * (stride / CACHE_LINE) + (index + round & shiftMask(bufferSize, stride));
    }

    private static int lines(int bytes) {
        return (bytes + CACHE_LINE - 1) / CACHE_LINE;
    }

    /**
     * Moves free buffers into the batch as frames of length 0 behind {@link #HEADROOM} bytes.
     *
     * @param count how many are wanted, at least 0
     * @return how many there are: fewer when the pool runs out or the batch is full
     * @throws IllegalStateException when the pool is closed; {@link NicClosedException} when its NIC is
     */
    public int allocate(FrameBatch batch, int count) {
        final int wanted = Math.min(count, batch.remaining());
        if (wanted < 0) {
            throw new IllegalArgumentException("cannot allocate " + count + " frames: ask for 0 or more");
        }
        lock();
        try {
            requireOpen();
            int taken = Math.min(wanted, available);
            available -= taken;
            batch.appendEmpty(this, stack, available, taken);
            return taken;
        } finally {
            unlock();
        }
    }

    /**
     * Moves one free buffer to the end of the batch, as a frame of length 0 behind {@link #HEADROOM} bytes.
     *
     * @return the frame; null when the pool has run out or the batch is full
     * @throws IllegalStateException when the pool is closed; {@link NicClosedException} when its NIC is
     */
    public @Nullable Frame allocate(FrameBatch batch) {
        return allocate(batch, 1) == 0 ? null : batch.frame(batch.size() - 1);
    }

    /** Whether its memory is gone, or about to be: its own, or that of its NIC. */
    public boolean isClosed() {
        lock();
        try {
            return closed;
        } finally {
            unlock();
        }
    }

    /** Frames that can be allocated right now. */
    public int available() {
        lock();
        int count = available;
        unlock();
        return count;
    }

    /** How many buffers it has in all. */
    public int buffers() {
        return stack.length;
    }

    /** Bytes in each buffer, headroom included. */
    public int bufferSize() {
        return bufferSize;
    }

    /** All buffers, one behind the other; a buffer starts at {@link #position}. */
    public MemorySegment memory() {
        return memory;
    }

    /**
     * Where a buffer starts within {@link #memory()}, in bytes. Its number is that of the cache line there, so that this
     * costs next to nothing.
     */
    public long position(int buffer) {
        return start(buffer);
    }

    /** As {@link #position}, which is the same in all pools. */
    static long start(int buffer) {
        return (long) buffer << CACHE_LINE_SHIFT;
    }

    /**
     * For drivers: takes up to {@code count} free buffers.
     *
     * @param into receives their numbers, from index {@code from}; has room for {@code count}
     * @return how many there were
     * @throws IllegalStateException when the pool is closed
     */
    public int allocate(int[] into, int from, int count) {
        Objects.checkFromIndexSize(from, count, into.length);
        lock();
        try {
            requireOpen();
            int taken = Math.min(count, available);
            int top = available - taken;
            System.arraycopy(stack, top, into, from, taken);
            available = top;
            return taken;
        } finally {
            unlock();
        }
    }

    /**
     * For drivers: gives back {@code count} buffers whose numbers are in {@code buffers} from index {@code from}. A pool that
     * is closed takes them too.
     */
    public void free(int[] buffers, int from, int count) {
        Objects.checkFromIndexSize(from, count, buffers.length);
        lock();
        try {
            if (count > stack.length - available) {
                throw tooMany(count);
            }
            System.arraycopy(buffers, from, stack, available, count);
            available += count;
        } finally {
            unlock();
        }
    }

    /**
     * Takes the buffers out of slots that are in use, up to one with a frame of another pool; the slots are empty then.
     *
     * @return where that one is; {@code to} if there is none
     */
    int release(Frame[] frames, int from, int to) {
        lock();
        try {
            final int[] stack = this.stack;
            int top = available;
            int i = from;
            while (i < to && frames[i].pool == this) {
                stack[top++] = frames[i].buffer;
                frames[i].clear();
                i++;
            }
            available = top;
            return i;
        } finally {
            unlock();
        }
    }

    private IllegalStateException tooMany(int count) {
        return new IllegalStateException("cannot take " + count + " buffers back: " + (stack.length - available)
                + " of its " + stack.length + " are out, so that some were given back twice, or are of another pool");
    }

    /**
     * Frees the memory, if the pool owns it; frames can be released to it still, and that is all. No NIC may be using the
     * pool any more. A second call does nothing.
     */
    @Override
    public void close() {
        lock();
        boolean first = !closed;
        closed = true;
        unlock();
        if (first) {
            free.run();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw closed();
        }
    }

    /** Says that the pool is closed, or the NIC whose pool it is. */
    private IllegalStateException closed() {
        return nic == null
                ? new IllegalStateException("the pool of " + this + " is closed")
                : new NicClosedException("the pool of " + nic);
    }

    /** What to throw when an access to the memory failed: what is known better than that it is closed. */
    IllegalStateException explain(IllegalStateException failure) {
        if (memory.scope().isAlive()) {
            return failure;
        }
        IllegalStateException better = closed();
        better.initCause(failure);
        return better;
    }

    private void lock() {
        while (!LOCK.weakCompareAndSetAcquire(this, 0, 1)) {
            Thread.onSpinWait();
        }
    }

    private void unlock() {
        LOCK.setRelease(this, 0);
    }

    @Override
    public String toString() {
        return stack.length + " buffers of " + bufferSize + " bytes";
    }
}
