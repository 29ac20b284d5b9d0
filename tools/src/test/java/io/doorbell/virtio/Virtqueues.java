package io.doorbell.virtio;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.tools.bench.PlayedRings;
import java.lang.foreign.MemorySegment;

/** Virtqueues whose device polls and works in order. */
public final class Virtqueues implements PlayedRings {

    private final Rig rig;
    private final PlayedDevice rxDevice;
    private final PlayedDevice txDevice;

    private Virtqueues(Rig rig, PlayedDevice rxDevice, PlayedDevice txDevice) {
        this.rig = rig;
        this.rxDevice = rxDevice;
        this.txDevice = txDevice;
    }

    public static PlayedRings split(int size, int buffers) {
        Rig rig = new Rig(Layout.SPLIT_IN_ORDER, size, buffers);
        MemorySegment memory = rig.memory.segment();
        return new Virtqueues(
                rig, new SplitDevice(memory, rig.rx.addresses()), new SplitDevice(memory, rig.tx.addresses()));
    }

    public static PlayedRings packed(int size, int buffers) {
        Rig rig = new Rig(Layout.PACKED_IN_ORDER, size, buffers);
        MemorySegment memory = rig.memory.segment();
        return new Virtqueues(
                rig, new PackedDevice(memory, rig.rx.addresses()), new PackedDevice(memory, rig.tx.addresses()));
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
}
