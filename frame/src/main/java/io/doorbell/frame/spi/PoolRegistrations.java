package io.doorbell.frame.spi;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pools whose buffers one device can reach, each under a small number, its slot, so that a ring can remember a
 * frame's buffer and pool in one word. A NIC has one or two. Pools are added before the rings run, not after.
 */
public final class PoolRegistrations implements AutoCloseable {

    private static final long PAGE = 4096;

    private final String nic;
    private final DmaSpace space;
    private final List<DmaRegion> regions = new ArrayList<>();
    /** Those that were made here. */
    private final List<FramePool> own = new ArrayList<>();

    private FramePool[] pools = {};
    private long[] deviceAddresses = {};

    /** For a device that reaches {@code space}, and whose name does not matter. */
    public PoolRegistrations(DmaSpace space) {
        this("a NIC", space);
    }

    /**
     * For a device that reaches {@code space}.
     *
     * @param nic its name, for what users of its pools are told when it is closed
     */
    public PoolRegistrations(String nic, DmaSpace space) {
        this.nic = nic;
        this.space = space;
    }

    /**
     * Lets the device reach the pool that the application brings, or makes one for each pair of queues, whose threads then
     * do not share as much as a pool's lock.
     *
     * @param needs of one pair
     * @throws DoorbellException when the pool, or the buffer size that is configured, does not meet them
     */
    public void provide(NicConfig config, int pairs, PoolNeeds needs) {
        FramePool shared = config.sharedPool();
        if (shared == null) {
            needs.requireRoom(needs.buffers(), config.bufferSize());
            create(pairs, needs.buffers(), config.bufferSize());
        } else {
            needs.requireRoom(shared.buffers(), shared.bufferSize());
            needs.times(pairs).requireBuffers(shared);
            register(shared);
        }
    }

    /**
     * Makes pools alike, in one piece of memory that the device reaches, since some devices reach a few pieces only. They
     * go away with this object.
     */
    public void create(int count, int buffers, int bufferSize) {
        // Each starts on a page, as a pool in memory of its own does.
        long bytes = (FramePool.bytesFor(buffers, bufferSize) + PAGE - 1) & -PAGE;
        DmaRegion region = space.allocate(count * bytes);
        regions.add(region);
        for (int i = 0; i < count; i++) {
            create(region.segment().asSlice(i * bytes, bytes), region.deviceAddress() + i * bytes, buffers, bufferSize);
        }
    }

    private void create(MemorySegment memory, long deviceAddress, int buffers, int bufferSize) {
        FramePool pool = FramePool.of(nic, memory, buffers, bufferSize);
        own.add(pool);
        add(pool, deviceAddress);
    }

    /** Lets the device reach a pool of the application's. */
    public void register(FramePool pool) {
        DmaRegion region = space.register(pool.memory());
        regions.add(region);
        add(pool, region.deviceAddress());
    }

    private void add(FramePool pool, long deviceAddress) {
        int slot = pools.length;
        pools = Arrays.copyOf(pools, slot + 1);
        deviceAddresses = Arrays.copyOf(deviceAddresses, slot + 1);
        pools[slot] = pool;
        deviceAddresses[slot] = deviceAddress;
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

    /** Takes all pools from the device, which must be quiet, and closes those that were made here. */
    @Override
    public void close() {
        own.forEach(FramePool::close);
        regions.forEach(DmaRegion::close);
        regions.clear();
    }
}
