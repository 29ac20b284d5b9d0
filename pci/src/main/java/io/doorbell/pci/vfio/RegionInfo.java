package io.doorbell.pci.vfio;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.pci.region.Region;
import io.doorbell.pci.region.Region.Area;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** What VFIO knows of a device's regions, by their indices, {@code VFIO_PCI_*_REGION_INDEX}. */
final class RegionInfo {

    /** BARs 0 to 5 are regions 0 to 5; the ROM is 6. */
    static final int BARS = 6;

    static final int CONFIG = 7;

    private static final int FLAG_READ = 1;
    private static final int FLAG_WRITE = 2;
    private static final int FLAG_MMAP = 4;
    private static final int FLAGS_MAPPABLE = FLAG_READ | FLAG_WRITE | FLAG_MMAP;
    private static final int CAPABILITY_SPARSE_MMAP = 1;

    private RegionInfo() {}

    static Region read(Kernel kernel, int device, int index) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct info = VfioStruct.of(arena, VfioStruct.REGION_INFO)
                    .u32("index", index)
                    .query(arena, kernel, device, VfioIoctl.VFIO_DEVICE_GET_REGION_INFO, "region=" + index);
            return new Region(index, info.u64("size"), info.u64("offset"), areas(info));
        }
    }

    /**
     * Without a list of areas all of the region may be mapped. A kernel that lets the page of an MSI-X table be mapped
     * (since 4.16, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE) gives no list; an older one leaves that page out of it.
     */
    private static List<Area> areas(VfioStruct info) {
        long size = info.u64("size");
        if (size == 0 || (info.u32("flags") & FLAGS_MAPPABLE) != FLAGS_MAPPABLE) {
            return List.of();
        }
        return info.capability(CAPABILITY_SPARSE_MMAP)
                .map(RegionInfo::sparse)
                .orElseGet(() -> List.of(new Area(0, size)));
    }

    /** {@code struct vfio_region_info_cap_sparse_mmap}: header, count, padding, pairs of offset and size. */
    private static List<Area> sparse(MemorySegment capability) {
        int count = capability.get(ValueLayout.JAVA_INT_UNALIGNED, 8);
        List<Area> areas = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long start = capability.get(ValueLayout.JAVA_LONG_UNALIGNED, 16 + 16L * i);
            long size = capability.get(ValueLayout.JAVA_LONG_UNALIGNED, 24 + 16L * i);
            if (size != 0) {
                areas.add(new Area(start, size));
            }
        }
        return List.copyOf(areas);
    }
}
