package io.doorbell.igb;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.IommuDmaSpace;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.tools.bench.PlayedRings;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** Rings of an igb whose registers are plain memory. */
public final class IgbRings implements PlayedRings {

    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    private static final int DESCRIPTOR = 16;
    private static final long RS = 1L << 27;
    private static final long DD = 1L << 32;
    private static final long WHOLE_FRAME = 3L | (long) FRAME << 32;

    private final IommuDmaSpace space = new IommuDmaSpace(new OpenIommu());
    private final FramePool pool;
    private final IgbRxRing rx;
    private final IgbTxRing tx;
    private final MemorySegment rxRing;
    private final MemorySegment txRing;
    private final int size;
    private int arriving;
    private int departing;

    private IgbRings(int size, int buffers) {
        this.size = size;
        PoolRegistrations pools = new PoolRegistrations(space);
        pool = pools.create(buffers, FramePool.HEADROOM + 2048);
        DmaRegion rxMemory = space.allocate(IgbRxRing.bytes(size));
        DmaRegion txMemory = space.allocate(IgbTxRing.bytes(size));
        rxRing = rxMemory.segment();
        txRing = txMemory.segment();
        MemoryBar bar = new MemoryBar(space.allocate(MemoryBar.SIZE).segment());
        rx = new IgbRxRing("rx", bar, IgbRegisters.RDT.at(0), rxMemory, size, pool, pools.deviceAddress(0), 2048);
        tx = new IgbTxRing("tx", bar, IgbRegisters.TDT.at(0), txMemory, size, pools);
        rx.start();
        tx.start();
    }

    public static PlayedRings open(int size, int buffers) {
        return new IgbRings(size, buffers);
    }

    @Override
    public RxQueue rx() {
        return rx;
    }

    @Override
    public TxQueue tx() {
        return tx;
    }

    @Override
    public FramePool pool() {
        return pool;
    }

    @Override
    public void arrive(int count) {
        final MemorySegment ring = rxRing;
        int index = arriving;
        for (int i = 0; i < count; i++) {
            long descriptor = (long) index * DESCRIPTOR;
            WORD.setOpaque(ring, descriptor, 0L);
            WORD.setRelease(ring, descriptor + 8, WHOLE_FRAME);
            index = index + 1 == size ? 0 : index + 1;
        }
        arriving = index;
    }

    @Override
    public void depart(int count) {
        final MemorySegment ring = txRing;
        int index = departing;
        for (int i = 0; i < count; i++) {
            long descriptor = (long) index * DESCRIPTOR;
            long command = (long) WORD.getOpaque(ring, descriptor + 8);
            if ((command & RS) != 0) {
                WORD.setRelease(ring, descriptor + 8, DD);
            }
            index = index + 1 == size ? 0 : index + 1;
        }
        departing = index;
    }

    @Override
    public void close() {
        space.close();
    }
}
