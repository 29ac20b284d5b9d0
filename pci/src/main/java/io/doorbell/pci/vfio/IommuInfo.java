package io.doorbell.pci.vfio;

import io.doorbell.dma.IommuMapper.IovaRange;
import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What an IOMMU can do, as {@code VFIO_IOMMU_GET_INFO} tells.
 *
 * @param permitted device addresses that may be mapped, ascending
 * @param pageSize the smallest page, in bytes
 * @param freeMappings how many more mappings the container takes; unknown before Linux 5.10
 */
record IommuInfo(List<IovaRange> permitted, long pageSize, OptionalInt freeMappings) {

    private static final int FLAG_PAGE_SIZES = 1;
    private static final int CAPABILITY_IOVA_RANGE = 1;
    private static final int CAPABILITY_DMA_AVAILABLE = 3;

    private static final long ORDINARY_PAGE = 4096;

    /** For kernels that do not tell (before 5.4): below the window of message-signalled interrupts on x86. */
    private static final List<IovaRange> SAFE_EVERYWHERE = List.of(new IovaRange(0, 0xfedf_ffffL));

    static IommuInfo read(Kernel kernel, int container) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct info = VfioStruct.of(arena, VfioStruct.IOMMU_INFO)
                    .query(arena, kernel, container, VfioIoctl.VFIO_IOMMU_GET_INFO, "");
            // A bit a size; where the kernel maps more finely than the CPU's pages, whole pages are pinned all the
            // same.
            long smallest = (info.u32("flags") & FLAG_PAGE_SIZES) != 0
                    ? Math.max(Long.lowestOneBit(info.u64("iova_pgsizes")), ORDINARY_PAGE)
                    : ORDINARY_PAGE;
            List<IovaRange> permitted = info.capability(CAPABILITY_IOVA_RANGE)
                    .map(IommuInfo::ranges)
                    .orElse(SAFE_EVERYWHERE);
            OptionalInt free = info.capability(CAPABILITY_DMA_AVAILABLE)
                    .map(c -> OptionalInt.of(c.get(ValueLayout.JAVA_INT_UNALIGNED, 8)))
                    .orElse(OptionalInt.empty());
            return new IommuInfo(permitted, smallest, free);
        }
    }

    /** {@code struct vfio_iommu_type1_info_cap_iova_range}: header, count, padding, pairs of first and last address. */
    private static List<IovaRange> ranges(MemorySegment capability) {
        int count = capability.get(ValueLayout.JAVA_INT_UNALIGNED, 8);
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long first = capability.get(ValueLayout.JAVA_LONG_UNALIGNED, 16 + 16L * i);
            long last = capability.get(ValueLayout.JAVA_LONG_UNALIGNED, 24 + 16L * i);
            ranges.add(new IovaRange(first, last));
        }
        return List.copyOf(ranges);
    }
}
