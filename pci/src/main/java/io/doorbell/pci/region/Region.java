package io.doorbell.pci.region;

import java.util.List;

/**
 * One region of a device: a BAR, the ROM or configuration space.
 *
 * @param index by which the kernel calls it; BARs are 0 to 5
 * @param size in bytes; 0 where the function has no such region
 * @param offset where the region is in its file
 * @param mappable the parts that may be mapped into memory; others, such as an MSI-X table that the kernel guards, and
 *     I/O ports, answer to {@code pread} and {@code pwrite} alone
 */
public record Region(int index, long size, long offset, List<Area> mappable) {

    /** Part of a region, in bytes. */
    public record Area(long start, long size) {}

    public Region {
        mappable = List.copyOf(mappable);
    }
}
