package io.doorbell.virtio;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.tools.bench.PlayedRings;
import java.lang.foreign.MemorySegment;

/** Split virtqueues whose device polls, works in order, and says so. */
public final class SplitRings implements PlayedRings {

    private final Rig rig;
    private final Device rxDevice;
    private final Device txDevice;

    private SplitRings(Rig rig) {
        this.rig = rig;
        rxDevice = new Device(rig.memory.segment(), rig.rx.addresses());
        txDevice = new Device(rig.memory.segment(), rig.tx.addresses());
    }

    public static PlayedRings open(int size, int buffers) {
        return new SplitRings(new Rig(Layout.SPLIT_IN_ORDER, size, buffers));
    }

    @Override
    public RxQueue rx() {
        return rig.rx;
    }

    @Override
    public TxQueue tx() {
        return rig.tx;
    }

    @Override
    public FramePool pool() {
        return rig.pool;
    }

    @Override
    public void arrive(int count) {
        rxDevice.use(count, Rig.HEADER + FRAME);
    }

    @Override
    public void depart(int count) {
        txDevice.use(count, 0);
    }

    @Override
    public void close() {
        rig.close();
    }

    private static final class Device {

        private static final short NO_NOTIFY = 1;

        private final MemorySegment memory;
        private final long available;
        private final long used;
        private final int mask;
        private int index;

        Device(MemorySegment memory, QueueAddresses queue) {
            this.memory = memory;
            available = queue.driverArea();
            used = queue.deviceArea();
            mask = queue.size() - 1;
            Words.SHORT.setOpaque(memory, used, NO_NOTIFY);
        }

        void use(int count, int length) {
            final MemorySegment memory = this.memory;
            int index = this.index;
            for (int i = 0; i < count; i++, index++) {
                int position = index & mask;
                long id = (short) Words.SHORT.getOpaque(memory, available + 4 + 2L * position) & 0xffffL;
                memory.set(Words.PLAIN_LONG, used + 4 + 8L * position, id | (long) length << 32);
            }
            this.index = index;
            Words.SHORT.setRelease(memory, used + 2, (short) index);
        }
    }
}
