package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Mapping;
import io.doorbell.virtio.vhost.VhostRegion;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What a front-end has shared of its memory, mapped here. Every address that it names is looked up in this table, so that
 * none leads anywhere else.
 *
 * <p>Changed only while the gates of all queues are shut. A front-end that makes a file shorter after it has shared it
 * takes pages away from under the queues; the JVM then throws an {@link InternalError} where they are touched.
 */
final class VhostMemory implements AutoCloseable {

    /** Regions that a front-end may share, where it shares them one by one. */
    static final int MOST_REGIONS = 64;

    /** Bytes that may be mapped in all. While one table takes another's place it is twice that: half of what x86-64 has. */
    private static final long MOST_BYTES = 1L << 45;

    private static final int NONE = -1;

    private final Kernel kernel;
    private VhostRegion[] regions = {};
    private Mapping[] mappings = {};

    // What the queues read, side by side.
    private long[] starts = {};
    private long[] sizes = {};
    private MemorySegment[] segments = {};

    VhostMemory(Kernel kernel) {
        this.kernel = kernel;
    }

    int size() {
        return regions.length;
    }

    /**
     * Maps a region.
     *
     * @param fd the file that it is a part of; stays the caller's
     * @throws DoorbellException when the region cannot be
     */
    void add(VhostRegion region, int fd) {
        if (regions.length == MOST_REGIONS) {
            throw refused(region, "there are " + MOST_REGIONS + " already");
        }
        long end = region.offset() + region.size();
        if (region.size() <= 0
                || region.offset() < 0
                || end < 0
                || Long.compareUnsigned(region.guestAddress() + region.size(), region.guestAddress()) < 0
                || Long.compareUnsigned(region.userAddress() + region.size(), region.userAddress()) < 0) {
            throw refused(region, "it is empty, or its end is beyond 64 bits");
        }
        long fileSize = kernel.fileSize(fd);
        if (end > fileSize) {
            throw refused(region, "its file has " + fileSize + " bytes only");
        }
        if (fileSize > MOST_BYTES - mapped()) {
            throw refused(region, "with its file, there would be more than " + MOST_BYTES + " bytes to be mapped");
        }
        for (VhostRegion other : regions) {
            if (overlap(region.guestAddress(), region.size(), other.guestAddress(), other.size())) {
                throw refused(region, "it overlaps with " + other);
            }
        }
        // From the file's start, whose alignment always suits its pages, to its end, which suits them too.
        Mapping mapping = Mapping.shared(kernel, fileSize, 0, fd, 0);
        int index = regions.length;
        resize(index + 1);
        regions[index] = region;
        mappings[index] = mapping;
        starts[index] = region.guestAddress();
        sizes[index] = region.size();
        segments[index] = mapping.segment().asSlice(region.offset(), region.size());
    }

    /** Unmaps the region that starts where this one does and has its size. */
    void remove(VhostRegion region) {
        for (int i = 0; i < regions.length; i++) {
            if (regions[i].guestAddress() == region.guestAddress() && regions[i].size() == region.size()) {
                mappings[i].close();
                int last = regions.length - 1;
                regions[i] = regions[last];
                mappings[i] = mappings[last];
                starts[i] = starts[last];
                sizes[i] = sizes[last];
                segments[i] = segments[last];
                resize(last);
                return;
            }
        }
        throw refused(region, "there is none to be removed");
    }

    private long mapped() {
        long bytes = 0;
        for (Mapping mapping : mappings) {
            bytes += mapping.segment().byteSize();
        }
        return bytes;
    }

    private void resize(int size) {
        regions = Arrays.copyOf(regions, size);
        mappings = Arrays.copyOf(mappings, size);
        starts = Arrays.copyOf(starts, size);
        sizes = Arrays.copyOf(sizes, size);
        segments = Arrays.copyOf(segments, size);
    }

    /** Leaves all regions to another, which is empty. */
    void moveTo(VhostMemory other) {
        other.regions = regions;
        other.mappings = mappings;
        resize(0);
    }

    private static boolean overlap(long start, long size, long otherStart, long otherSize) {
        return Long.compareUnsigned(otherStart - start, size) < 0
                || Long.compareUnsigned(start - otherStart, otherSize) < 0;
    }

    private static DoorbellException refused(VhostRegion region, String why) {
        return new DoorbellException("the front-end shares memory that cannot be used (" + region + "): " + why);
    }

    /** The region that a guest address is in, −1 if it is in none; {@code hint} is looked at first. */
    int find(long guestAddress, int hint) {
        if (hint < starts.length && Long.compareUnsigned(guestAddress - starts[hint], sizes[hint]) < 0) {
            return hint;
        }
        for (int i = 0; i < starts.length; i++) {
            if (Long.compareUnsigned(guestAddress - starts[i], sizes[i]) < 0) {
                return i;
            }
        }
        return NONE;
    }

    /** Where a guest address is within its region. */
    long offset(int region, long guestAddress) {
        return guestAddress - starts[region];
    }

    /** Bytes in a region. */
    long size(int region) {
        return sizes[region];
    }

    MemorySegment segment(int region) {
        return segments[region];
    }

    /**
     * A part of a ring.
     *
     * @param userAddress as the front-end names it
     * @param alignment what the specification asks for (2.6)
     * @throws VhostMemoryMissing when it is not all within one region
     * @throws DoorbellException when it is not aligned
     */
    MemorySegment ring(String what, long userAddress, long bytes, int alignment) {
        if (userAddress % alignment != 0) {
            throw new DoorbellException(String.format(
                    "the front-end puts its %s at 0x%x, which is not a multiple of %d", what, userAddress, alignment));
        }
        for (int i = 0; i < regions.length; i++) {
            long offset = userAddress - regions[i].userAddress();
            if (Long.compareUnsigned(offset, sizes[i]) < 0 && bytes <= sizes[i] - offset) {
                MemorySegment segment = segments[i].asSlice(offset, bytes);
                if (segment.address() % alignment == 0) {
                    return segment;
                }
            }
        }
        throw new VhostMemoryMissing(String.format(
                "the front-end puts its %s of %d bytes at 0x%x, which is not in the memory that it shares: %s",
                what, bytes, userAddress, Arrays.toString(regions)));
    }

    @Override
    public void close() {
        for (Mapping mapping : mappings) {
            mapping.close();
        }
        resize(0);
    }
}
