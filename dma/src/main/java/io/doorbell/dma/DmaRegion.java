package io.doorbell.dma;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Memory that one device reaches at {@link #deviceAddress()}, contiguous as the device sees it. Safe to share between
 * threads. Closing it takes it from the device first and frees it then (if the region owns it); the device must have
 * been told to stop using it before.
 */
public final class DmaRegion implements AutoCloseable {

    private final MemorySegment segment;
    private final long deviceAddress;
    private final long pageSize;
    private final Runnable release;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * For implementations of {@link DmaSpace}.
     *
     * @param segment native memory, pinned
     * @param deviceAddress where the device finds the segment's first byte
     * @param pageSize bytes in each page that backs it
     * @param release takes it from the device and frees what is to be freed; run once
     */
    public DmaRegion(MemorySegment segment, long deviceAddress, long pageSize, Runnable release) {
        this.segment = segment;
        this.deviceAddress = deviceAddress;
        this.pageSize = pageSize;
        this.release = release;
    }

    /** The memory as the CPU sees it. */
    public MemorySegment segment() {
        return segment;
    }

    /** Where the device finds byte 0 of {@link #segment()}: an IOVA behind an IOMMU, else a physical address. */
    public long deviceAddress() {
        return deviceAddress;
    }

    /** Bytes in each page that backs the region: 2 MiB or more where hugepages were to be had. */
    public long pageSize() {
        return pageSize;
    }

    /** Takes the memory from the device and frees it; a second call does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            release.run();
        }
    }
}
