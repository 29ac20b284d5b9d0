package io.doorbell.frame.spi;

import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.FramePool;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pools whose buffers one device can reach, each under a small number, its slot, so that a ring can remember a
 * frame's buffer and pool in one word. A NIC has one or two. Pools are added before the rings run, not after.
 */
public final class PoolRegistrations implements AutoCloseable {

    private final DmaSpace space;
    private final List<DmaRegion> regions = new ArrayList<>();
    private FramePool[] pools = {};
    private long[] deviceAddresses = {};

    /** For a device that reaches {@code space}. */
    public PoolRegistrations(DmaSpace space) {
        this.space = space;
    }

    /** Makes a pool in memory that the device reaches; it goes away with this object. */
    public FramePool create(int buffers, int bufferSize) {
        DmaRegion region = space.allocate(FramePool.bytesFor(buffers, bufferSize));
        return add(FramePool.in(region.segment(), buffers, bufferSize), region);
    }

    /** Lets the device reach a pool of the application's. */
    public FramePool register(FramePool pool) {
        return add(pool, space.register(pool.memory()));
    }

    private FramePool add(FramePool pool, DmaRegion region) {
        int slot = pools.length;
        pools = Arrays.copyOf(pools, slot + 1);
        deviceAddresses = Arrays.copyOf(deviceAddresses, slot + 1);
        pools[slot] = pool;
        deviceAddresses[slot] = region.deviceAddress();
        regions.add(region);
        return pool;
    }

    /** How many pools there are; their slots count from 0. */
    public int size() {
        return pools.length;
    }

    /** The pool in a slot. */
    public FramePool pool(int slot) {
        return pools[slot];
    }

    /** Where the device finds the start of {@link FramePool#memory()} of the pool in a slot. */
    public long deviceAddress(int slot) {
        return deviceAddresses[slot];
    }

    /**
     * The slot of a pool.
     *
     * @throws DoorbellException when the device cannot reach it
     */
    public int slot(FramePool pool) {
        for (int i = 0; i < pools.length; i++) {
            if (pools[i] == pool) {
                return i;
            }
        }
        throw new DoorbellException("the frame's pool (" + pool + ") is not one that this NIC can reach:"
                + " open both NICs with the same pool, by NicConfig.withPool");
    }

    /** Takes all pools from the device, which must be quiet. */
    @Override
    public void close() {
        regions.forEach(DmaRegion::close);
        regions.clear();
    }
}
