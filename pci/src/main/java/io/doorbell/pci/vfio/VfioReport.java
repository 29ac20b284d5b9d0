package io.doorbell.pci.vfio;

import io.doorbell.dma.IommuMapper.IovaRange;
import io.doorbell.pci.InterruptInfo;
import java.util.List;

/**
 * What VFIO tells of a function, for people to read.
 *
 * @param regions its BARs (0 to 5) and its ROM (6), those that it has
 * @param interrupts how it can interrupt
 * @param resettable whether VFIO can reset it
 * @param permitted device addresses that its DMA may use, ascending
 * @param pageSize the smallest page that its IOMMU maps, in bytes
 */
public record VfioReport(
        List<Region> regions, InterruptInfo interrupts, boolean resettable, List<IovaRange> permitted, long pageSize) {

    /**
     * A BAR or the ROM.
     *
     * @param size in bytes
     * @param mappable the parts of it that can be mapped into memory; the rest is reached by system calls
     */
    public record Region(int number, long size, List<Area> mappable) {

        public Region {
            mappable = List.copyOf(mappable);
        }
    }

    /** Part of a region, in bytes. */
    public record Area(long start, long size) {}

    public VfioReport {
        regions = List.copyOf(regions);
        permitted = List.copyOf(permitted);
    }

    static Region region(io.doorbell.pci.region.Region info) {
        return new Region(
                info.index(),
                info.size(),
                info.mappable().stream()
                        .map(area -> new Area(area.start(), area.size()))
                        .toList());
    }
}
