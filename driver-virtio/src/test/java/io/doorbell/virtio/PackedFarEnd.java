package io.doorbell.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.random.RandomGenerator;

/** The device's side of a packed virtqueue (2.8), in order or not as {@link #use} is called. */
final class PackedFarEnd implements FarEnd {

    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();

    private static final int AVAILABLE = 1 << 7;
    private static final int USED = 1 << 15;

    private final MemorySegment memory;
    private final QueueAddresses queue;
    private int next;
    private boolean nextWrap;
    private int used;
    private boolean usedWrap;
    private int id;
    private long address;
    private int length;
    private boolean writable;

    /** @param memory all that the device reaches; its addresses are offsets */
    PackedFarEnd(MemorySegment memory, QueueAddresses queue) {
        this.memory = memory;
        this.queue = queue;
        reset();
    }

    @Override
    public void reset() {
        next = 0;
        nextWrap = true;
        used = 0;
        usedWrap = true;
    }

    @Override
    public boolean take() {
        long descriptor = queue.descriptorArea() + 16L * next;
        int flags = (short) SHORT.getAcquire(memory, descriptor + 14);
        if (((flags & AVAILABLE) != 0) != nextWrap || ((flags & USED) != 0) == nextWrap) {
            return false;
        }
        address = memory.get(ValueLayout.JAVA_LONG, descriptor);
        length = memory.get(ValueLayout.JAVA_INT, descriptor + 8);
        id = Short.toUnsignedInt(memory.get(ValueLayout.JAVA_SHORT, descriptor + 12));
        writable = (flags & 2) != 0;
        if (++next == queue.size()) {
            next = 0;
            nextWrap = !nextWrap;
        }
        return true;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public boolean isWritable() {
        return writable;
    }

    @Override
    public void use(int id, int length) {
        long descriptor = queue.descriptorArea() + 16L * used;
        memory.set(ValueLayout.JAVA_INT, descriptor + 8, length);
        memory.set(ValueLayout.JAVA_SHORT, descriptor + 12, (short) id);
        SHORT.setRelease(memory, descriptor + 14, (short) (usedWrap ? AVAILABLE | USED : 0));
        if (++used == queue.size()) {
            used = 0;
            usedWrap = !usedWrap;
        }
    }

    @Override
    public void publish() {
        // The flags did so already.
    }

    /** One in-order batch whose last buffer is {@code id}: one descriptor stands for {@code count} (2.8.9). */
    void useBatch(int id, int count) {
        use(id, 0);
        used += count - 1;
        if (used >= queue.size()) {
            used -= queue.size();
            usedWrap = !usedWrap;
        }
    }

    @Override
    public void scramble(RandomGenerator random) {
        long at = random.nextLong(16L * queue.size()) & ~1;
        SHORT.setRelease(memory, queue.descriptorArea() + at, (short) random.nextInt());
        if (random.nextBoolean()) {
            // Right flags, wrong contents.
            use(random.nextInt(2 * queue.size()), random.nextInt(4096));
        }
    }
}
