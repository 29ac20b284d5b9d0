package io.doorbell.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.random.RandomGenerator;

/** The device's side of a split virtqueue (2.7), in order or not as {@link #use} is called. */
final class SplitFarEnd implements FarEnd {

    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.varHandle();
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private final MemorySegment memory;
    private final QueueAddresses queue;
    private int seen;
    private int used;
    private int id;

    /** @param memory all that the device reaches; its addresses are offsets */
    SplitFarEnd(MemorySegment memory, QueueAddresses queue) {
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
        return true;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public long address() {
        return memory.get(ValueLayout.JAVA_LONG, queue.descriptorArea() + 16L * id);
    }

    @Override
    public int length() {
        return memory.get(INT, queue.descriptorArea() + 16L * id + 8);
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
