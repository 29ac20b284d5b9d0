package io.doorbell.dma;

import io.doorbell.dma.IommuMapper.IovaRange;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Hands out device addresses: first fit within the ranges that the IOMMU permits. Not thread-safe. */
final class IovaAllocator {

    /** Left out, so that a device that reads address 0 or a small offset by mistake faults instead of finding data. */
    private static final long FIRST = 1L << 20;

    private final List<IovaRange> permitted;
    private final TreeMap<Long, Long> taken = new TreeMap<>(Long::compareUnsigned);

    IovaAllocator(List<IovaRange> permitted) {
        this.permitted = List.copyOf(permitted);
    }

    /**
     * @param size bytes
     * @param alignment a power of two
     * @throws DoorbellException when no gap is large enough
     */
    long allocate(long size, long alignment) {
        for (IovaRange range : permitted) {
            long candidate = aligned(max(range.first(), FIRST), alignment);
            for (Map.Entry<Long, Long> used : taken.entrySet()) {
                long end = used.getKey() + used.getValue();
                if (Long.compareUnsigned(end, candidate) <= 0) {
                    continue;
                }
                if (Long.compareUnsigned(candidate + size, used.getKey()) <= 0) {
                    break;
                }
                candidate = aligned(end, alignment);
            }
            if (fits(candidate, size, range)) {
                taken.put(candidate, size);
                return candidate;
            }
        }
        throw new DoorbellException("no device address is free for " + size + " bytes aligned to " + alignment
                + ": the IOMMU permits " + permitted + " and " + taken.size() + " regions are mapped;"
                + " close regions that are not needed, or allocate smaller ones");
    }

    void free(long address) {
        if (taken.remove(address) == null) {
            throw new IllegalStateException("device address 0x" + Long.toHexString(address) + " is not allocated");
        }
    }

    private static boolean fits(long start, long size, IovaRange range) {
        long last = start + size - 1;
        return Long.compareUnsigned(start, range.first()) >= 0
                && Long.compareUnsigned(last, start) >= 0
                && Long.compareUnsigned(last, range.last()) <= 0;
    }

    private static long max(long a, long b) {
        return Long.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private static long aligned(long address, long alignment) {
        return (address + alignment - 1) & -alignment;
    }
}
