package io.doorbell.virtio.vhost.frontend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.virtio.vhost.VhostRegion;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What a vhost-user back-end reaches: files in memory that both processes map. The back-end knows them by addresses that
 * mean nothing outside this space. It may have room for no more than eight, so small allocations share one.
 */
final class VhostUserDmaSpace implements DmaSpace {

    /** A file that the back-end maps, and the region that describes it. */
    record Shared(VhostRegion region, int fd) {}

    /** The first address; 0 and what is near it stay free, so that an address forgotten or cleared is a wrong one. */
    private static final long FIRST_ADDRESS = 1L << 30;
    /** Files start at multiples of this, as far as their pages may want it. */
    private static final long ALIGNMENT = 2L << 20;

    private static final long CHUNK = 2L << 20;
    private static final long CACHE_LINE = 64;

    private static final class Chunk {
        final PinnedMemory memory;
        final boolean owned;
        final Shared shared;
        /** Bytes given away from the start on; never taken back, so that what is given is still zeroed. */
        long taken;
        /** Regions open in it. */
        int open;

        Chunk(PinnedMemory memory, boolean owned, long address) {
            this.memory = memory;
            this.owned = owned;
            this.shared = new Shared(new VhostRegion(address, memory.segment().byteSize(), address, 0), memory.fd());
        }

        long deviceAddress(MemorySegment part) {
            return shared.region.guestAddress()
                    + part.address()
                    - memory.segment().address();
        }
    }

    private final Runnable changed;
    private final List<Chunk> chunks = new ArrayList<>();
    private final List<DmaRegion> regions = new ArrayList<>();
    private long nextAddress = FIRST_ADDRESS;

    /** Runs {@code changed} whenever {@link #shared} has changed. */
    VhostUserDmaSpace(Runnable changed) {
        this.changed = changed;
    }

    /** All files of this space. */
    synchronized List<Shared> shared() {
        return chunks.stream().map(chunk -> chunk.shared).toList();
    }

    @Override
    public DmaRegion allocate(long bytes) {
        long size = Math.addExact(bytes, CACHE_LINE - 1) & -CACHE_LINE;
        return region(() -> {
            Chunk chunk = chunkFor(size);
            MemorySegment segment = chunk.memory.segment().asSlice(chunk.taken, size);
            chunk.taken += size;
            return new Part(chunk, segment);
        });
    }

    /**
     * What is small goes where other small things are, never behind a pool of frames: with rings there, DPDK's vhost was
     * seen to forward a fifth less.
     */
    private Chunk chunkFor(long size) {
        for (Chunk chunk : chunks) {
            long bytes = chunk.memory.segment().byteSize();
            if (chunk.owned && bytes == CHUNK && bytes - chunk.taken >= size) {
                return chunk;
            }
        }
        return add(PinnedMemory.allocate(Math.max(size, CHUNK)), true);
    }

    /** What is allocated from now on is in other files than what was before. */
    synchronized void startAfresh() {
        chunks.forEach(chunk -> chunk.taken = chunk.memory.segment().byteSize());
    }

    private Chunk add(PinnedMemory memory, boolean owned) {
        Chunk chunk = new Chunk(memory, owned, nextAddress);
        // A gap of as much again, so that running over an end is noticed.
        nextAddress += (memory.segment().byteSize() + 2 * ALIGNMENT - 1) & -ALIGNMENT;
        chunks.add(chunk);
        return chunk;
    }

    /**
     * {@inheritDoc}
     *
     * @param memory of a {@link PinnedMemory}, as frame pools and all {@link DmaSpace}s allocate it
     */
    @Override
    public DmaRegion register(MemorySegment memory) {
        PinnedMemory pinned = PinnedMemory.containing(memory)
                .orElseThrow(() -> new DoorbellException(String.format(
                        "memory at 0x%x of %d bytes cannot be shared with another process, since no file is behind"
                                + " it: take it from FramePool.create or PinnedMemory.allocate",
                        memory.address(), memory.byteSize())));
        return region(() -> {
            for (Chunk chunk : chunks) {
                if (chunk.memory == pinned) {
                    return new Part(chunk, memory);
                }
            }
            return new Part(add(pinned, false), memory);
        });
    }

    private record Part(Chunk chunk, MemorySegment segment) {}

    private interface Choice {
        Part choose();
    }

    private DmaRegion region(Choice choice) {
        DmaRegion region;
        boolean isNew;
        synchronized (this) {
            Part part = choice.choose();
            Chunk chunk = part.chunk;
            isNew = chunk.open++ == 0;
            DmaRegion[] self = new DmaRegion[1];
            self[0] = new DmaRegion(
                    part.segment,
                    chunk.deviceAddress(part.segment),
                    chunk.memory.pageSize(),
                    () -> release(self[0], chunk));
            region = self[0];
            regions.add(region);
        }
        if (isNew) {
            changed.run();
        }
        return region;
    }

    private void release(DmaRegion region, Chunk chunk) {
        synchronized (this) {
            regions.remove(region);
            if (--chunk.open > 0) {
                return;
            }
            chunks.remove(chunk);
        }
        try {
            changed.run();
        } finally {
            if (chunk.owned) {
                chunk.memory.close();
            }
        }
    }

    @Override
    public void close() {
        List<DmaRegion> open;
        synchronized (this) {
            open = List.copyOf(regions);
        }
        Cleanup cleanup = new Cleanup();
        open.forEach(region -> cleanup.then(region::close));
        cleanup.end();
    }
}
