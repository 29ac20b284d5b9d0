package io.doorbell.dma;

import io.doorbell.DoorbellException;
import io.doorbell.dma.IommuMapper.IovaRange;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Hands out device addresses: first fit within the ranges that the IOMMU permits. Thread-safe. */
final class IovaAllocator {

    /** Left out, so that a device that reads address 0 or a small offset by mistake faults instead of finding data. */
    private static final long FIRST = 1L << 20;

    private final List<IovaRange> permitted;

    /** First address to last, inclusive: an end beyond the last could be 2^64. */
    private final TreeMap<Long, Long> taken = new TreeMap<>(Long::compareUnsigned);

    IovaAllocator(List<IovaRange> permitted) {
        this.permitted = List.copyOf(permitted);
    }

    /**
     * @param size bytes, at least 1
     * @param alignment a power of two
     * @throws DoorbellException when no gap is large enough
     */
    synchronized long allocate(long size, long alignment) {
        for (IovaRange range : permitted) {
            if (Long.compareUnsigned(range.last(), FIRST) < 0) {
                continue;
            }
            long from = max(range.first(), FIRST);
            for (Map.Entry<Long, Long> used : taken.tailMap(from).entrySet()) {
                if (Long.compareUnsigned(used.getKey(), range.last()) > 0) {
                    break;
                }
                // An allocation lies within one range, so the one before `from` cannot reach into this gap.
                if (used.getKey() != from && fits(from, used.getKey() - 1, size, alignment)) {
                    return take(aligned(from, alignment), size);
                }
                from = used.getValue() + 1;
                if (from == 0) {
                    break; // the range ended at 2^64
                }
            }
            if (from != 0
                    && Long.compareUnsigned(from, range.last()) <= 0
                    && fits(from, range.last(), size, alignment)) {
                return take(aligned(from, alignment), size);
            }
        }
        throw new DoorbellException("no device address is free for " + size + " bytes aligned to " + alignment
                + ": the IOMMU permits " + permitted + " and " + taken.size() + " regions are mapped;"
                + " close regions that are not needed, or allocate smaller ones");
    }

    synchronized void free(long address) {
        if (taken.remove(address) == null) {
            throw new IllegalStateException("device address 0x" + Long.toHexString(address) + " is not allocated");
        }
    }

    private long take(long address, long size) {
        taken.put(address, address + size - 1);
        return address;
    }

    /** Whether the gap from {@code first} to {@code last}, inclusive, has room. Unsigned, and wary of wrapping. */
    private static boolean fits(long first, long last, long size, long alignment) {
        long start = aligned(first, alignment);
        return Long.compareUnsigned(start, first) >= 0
                && Long.compareUnsigned(start, last) <= 0
                && Long.compareUnsigned(size - 1, last - start) <= 0;
    }

    private static long max(long a, long b) {
        return Long.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private static long aligned(long address, long alignment) {
        return (address + alignment - 1) & -alignment;
    }
}
