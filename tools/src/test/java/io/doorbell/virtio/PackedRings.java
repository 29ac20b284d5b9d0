package io.doorbell.virtio;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.tools.bench.PlayedRings;
import java.lang.foreign.MemorySegment;

/** Packed virtqueues whose device polls, works in order, and says so. */
public final class PackedRings implements PlayedRings {

    private final Rig rig;
    private final Device rxDevice;
    private final Device txDevice;

    private PackedRings(Rig rig) {
        this.rig = rig;
        rxDevice = new Device(rig.memory.segment(), rig.rx.addresses());
        txDevice = new Device(rig.memory.segment(), rig.tx.addresses());
    }

    public static PlayedRings open(int size, int buffers) {
        return new PackedRings(new Rig(Layout.PACKED_IN_ORDER, size, buffers));
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

        private static final int EVENTS_DISABLE = 1 << 16;
        private static final long ID = (long) PackedRing.ID_MASK << PackedRing.ID_SHIFT;

        private final MemorySegment memory;
        private final long ring;
        private final int size;
        private int position;
        private long flags = PackedRing.USED_AT_FIRST;

        Device(MemorySegment memory, QueueAddresses queue) {
            this.memory = memory;
            ring = queue.descriptorArea();
            size = queue.size();
            Words.INT.setOpaque(memory, queue.deviceArea(), EVENTS_DISABLE);
        }

        void use(int count, int length) {
            final MemorySegment memory = this.memory;
            int position = this.position;
            long flags = this.flags;
            for (int i = 0; i < count; i++) {
                long at = ring + (long) position * PackedRing.DESCRIPTOR + 8;
                long id = (long) Words.LONG.getOpaque(memory, at) & ID;
                Words.LONG.setRelease(memory, at, flags | id | length);
                if (++position == size) {
                    position = 0;
                    flags ^= PackedRing.FLAGS;
                }
            }
            this.position = position;
            this.flags = flags;
        }
    }
}
