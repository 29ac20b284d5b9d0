package io.doorbell.dma;

import java.lang.foreign.MemorySegment;

/**
 * All that one device (or one group of them behind one IOMMU context) can reach by DMA. Thread-safe.
 *
 * <p>Closing a space closes every region that is still open in it. The device must be quiet by then: bus mastering off,
 * or reset.
 */
public interface DmaSpace extends AutoCloseable {

    /**
     * Allocates zeroed memory that the device can reach: hugepages where there are any, ordinary pages, pinned, where
     * there are none.
     *
     * @param bytes how many are needed; rounded up to whole pages
     * @throws io.doorbell.DoorbellException when there is no memory, no device address, or the memlock limit is too low
     */
    DmaRegion allocate(long bytes);

    /**
     * Lets the device reach memory that the caller owns, and must keep until the region is closed. Closing the region
     * takes it from the device and leaves the memory alone.
     *
     * @param memory native and page-aligned, in address and in size, since an IOMMU grants whole pages
     * @throws io.doorbell.DoorbellException when the memory is of the wrong kind, already registered, or cannot be pinned
     */
    DmaRegion register(MemorySegment memory);

    @Override
    void close();
}
