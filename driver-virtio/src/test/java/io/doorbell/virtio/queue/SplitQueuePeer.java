package io.doorbell.virtio.queue;

import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.random.RandomGenerator;

/** The device's side of a split virtqueue (2.7), in order or not as {@link #use} is called. */
final class SplitQueuePeer implements QueuePeer {

    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private static final int NEXT = 1;
    private static final int INDIRECT = 4;

    private final MemorySegment memory;
    private final QueueAddresses queue;
    private int seen;
    private int used;
    private int id;
    private final QueuePeerParts parts = new QueuePeerParts();

    /** @param memory all that the device reaches; its addresses are offsets */
    SplitQueuePeer(MemorySegment memory, QueueAddresses queue) {
        this.memory = memory;
        this.queue = queue;
    }

    @Override
    public void reset() {
        seen = 0;
        used = 0;
    }

    @Override
    public boolean take() {
        short available = (short) SHORT.getAcquire(memory, queue.driverArea() + 2);
        if (available == (short) seen) {
            return false;
        }
        id = Short.toUnsignedInt(
                memory.get(ValueLayout.JAVA_SHORT, queue.driverArea() + 4 + 2L * (seen % queue.size())));
        seen = (seen + 1) & 0xffff;
        parts.clear();
        collect(queue.descriptorArea(), id, parts);
        return true;
    }

    private void collect(long table, int first, QueuePeerParts into) {
        for (int i = first; ; i = Short.toUnsignedInt(memory.get(ValueLayout.JAVA_SHORT, table + 16L * i + 14))) {
            long address = memory.get(ValueLayout.JAVA_LONG, table + 16L * i);
            int flags = memory.get(ValueLayout.JAVA_SHORT, table + 16L * i + 12);
            if ((flags & INDIRECT) != 0) {
                collect(address, 0, into);
            } else {
                into.add(address, memory.get(INT, table + 16L * i + 8));
            }
            if ((flags & NEXT) == 0) {
                return;
            }
        }
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
        return memory.get(ValueLayout.JAVA_SHORT, queue.descriptorArea() + 16L * id + 12) == 2;
    }

    @Override
    public void use(int id, int length) {
        long entry = queue.deviceArea() + 4 + 8L * (used % queue.size());
        memory.set(INT, entry, id);
        memory.set(INT, entry + 4, length);
        used = (used + 1) & 0xffff;
    }

    @Override
    public void useBatch(int id, int length, int count) {
        use(id, length);
        used = (used + count - 1) & 0xffff;
    }

    @Override
    public void publish() {
        SHORT.setRelease(memory, queue.deviceArea() + 2, (short) used);
    }

    @Override
    public void scramble(RandomGenerator random) {
        long at = random.nextLong(4 + 8L * queue.size() + 2) & ~1;
        SHORT.setRelease(memory, queue.deviceArea() + at, (short) random.nextInt());
        if (random.nextBoolean()) {
            SHORT.setRelease(memory, queue.deviceArea() + 2, (short) (used + random.nextInt(-4, 5)));
        }
    }
}
