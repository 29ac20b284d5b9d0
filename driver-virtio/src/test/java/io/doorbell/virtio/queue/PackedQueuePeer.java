package io.doorbell.virtio.queue;

import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.random.RandomGenerator;

/** The device's side of a packed virtqueue (2.8), in order or not as {@link #use} is called. */
final class PackedQueuePeer implements QueuePeer {

    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();

    private static final int AVAILABLE = 1 << 7;
    private static final int USED = 1 << 15;
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;

    private final MemorySegment memory;
    private final QueueAddresses queue;
    private int next;
    private boolean nextWrap;
    private int used;
    private boolean usedWrap;
    private int id;
    private final QueuePeerParts parts = new QueuePeerParts();
    private boolean writable;

    /** Of each id that was taken: how many descriptors it has in the ring. */
    private final int[] descriptors;

    /** @param memory all that the device reaches; its addresses are offsets */
    PackedQueuePeer(MemorySegment memory, QueueAddresses queue) {
        this.memory = memory;
        this.queue = queue;
        this.descriptors = new int[queue.size()];
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
        parts.clear();
        writable = (flags & WRITE) != 0;
        int count = 0;
        do {
            flags = describe(queue.descriptorArea() + 16L * next);
            count++;
            if (++next == queue.size()) {
                next = 0;
                nextWrap = !nextWrap;
            }
        } while ((flags & NEXT) != 0 && count < queue.size());
        if (id < descriptors.length) {
            descriptors[id] = count; // else it has been scrambled
        }
        return true;
    }

    private int describe(long descriptor) {
        int flags = memory.get(ValueLayout.JAVA_SHORT, descriptor + 14);
        long address = memory.get(ValueLayout.JAVA_LONG, descriptor);
        int length = memory.get(ValueLayout.JAVA_INT, descriptor + 8);
        id = Short.toUnsignedInt(memory.get(ValueLayout.JAVA_SHORT, descriptor + 12));
        if ((flags & INDIRECT) == 0) {
            parts.add(address, length);
        } else {
            long end = Math.min(address + length, memory.byteSize() - 16);
            for (long entry = Math.max(0, address); entry < end; entry += 16) {
                parts.add(
                        memory.get(ValueLayout.JAVA_LONG_UNALIGNED, entry),
                        memory.get(ValueLayout.JAVA_INT_UNALIGNED, entry + 8));
            }
        }
        return flags;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public int segments() {
        return parts.count();
    }

    @Override
    public long address(int part) {
        return parts.address(part);
    }

    @Override
    public int length(int part) {
        return parts.length(part);
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
        skip(descriptorsOf(id));
    }

    private int descriptorsOf(int id) {
        return id >= 0 && id < queue.size() ? Math.max(1, descriptors[id]) : 1;
    }

    private void skip(int count) {
        used += count;
        if (used >= queue.size()) {
            used -= queue.size();
            usedWrap = !usedWrap;
        }
    }

    @Override
    public void publish() {
        // The flags did so already.
    }

    @Override
    public void useBatch(int id, int length, int count) {
        use(id, length);
        skip(Math.max(0, count - descriptorsOf(id)));
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
