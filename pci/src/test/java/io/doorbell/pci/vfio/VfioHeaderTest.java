package io.doorbell.pci.vfio;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.StructLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a C compiler makes of {@code linux/vfio.h} on x86-64. */
class VfioHeaderTest {

    @ParameterizedTest
    @CsvSource({
        "VFIO_GET_API_VERSION, 0x3b64",
        "VFIO_CHECK_EXTENSION, 0x3b65",
        "VFIO_SET_IOMMU, 0x3b66",
        "VFIO_GROUP_GET_STATUS, 0x3b67",
        "VFIO_GROUP_SET_CONTAINER, 0x3b68",
        "VFIO_GROUP_GET_DEVICE_FD, 0x3b6a",
        "VFIO_DEVICE_GET_INFO, 0x3b6b",
        "VFIO_DEVICE_GET_REGION_INFO, 0x3b6c",
        "VFIO_DEVICE_GET_IRQ_INFO, 0x3b6d",
        "VFIO_DEVICE_SET_IRQS, 0x3b6e",
        "VFIO_DEVICE_RESET, 0x3b6f",
        "VFIO_IOMMU_GET_INFO, 0x3b70",
        "VFIO_IOMMU_MAP_DMA, 0x3b71",
        "VFIO_IOMMU_UNMAP_DMA, 0x3b72",
    })
    void numbersEachRequest(VfioIoctl ioctl, int number) {
        assertThat(ioctl.request()).isEqualTo(number);
    }

    @Test
    void pinsEveryRequestThatThereIs() {
        assertThat(VfioIoctl.values()).hasSize(14);
    }

    @Test
    void sizesEachStructure() {
        assertThat(VfioStruct.GROUP_STATUS.byteSize()).isEqualTo(8);
        // Without the padding behind cap_offset, which Linux 6.4 gave a name.
        assertThat(VfioStruct.DEVICE_INFO.byteSize()).isEqualTo(20);
        assertThat(VfioStruct.REGION_INFO.byteSize()).isEqualTo(32);
        assertThat(VfioStruct.IRQ_INFO.byteSize()).isEqualTo(16);
        assertThat(VfioStruct.IRQ_SET.byteSize()).isEqualTo(20);
        assertThat(VfioStruct.IOMMU_INFO.byteSize()).isEqualTo(24);
        assertThat(VfioStruct.DMA_MAP.byteSize()).isEqualTo(32);
        assertThat(VfioStruct.DMA_UNMAP.byteSize()).isEqualTo(24);
    }

    @Test
    void placesEachFieldThatWeUse() {
        assertThat(offset(VfioStruct.DEVICE_INFO, "num_irqs")).isEqualTo(12);
        assertThat(offset(VfioStruct.DEVICE_INFO, "cap_offset")).isEqualTo(16);
        assertThat(offset(VfioStruct.REGION_INFO, "index")).isEqualTo(8);
        assertThat(offset(VfioStruct.REGION_INFO, "cap_offset")).isEqualTo(12);
        assertThat(offset(VfioStruct.REGION_INFO, "size")).isEqualTo(16);
        assertThat(offset(VfioStruct.REGION_INFO, "offset")).isEqualTo(24);
        assertThat(offset(VfioStruct.IRQ_INFO, "count")).isEqualTo(12);
        assertThat(offset(VfioStruct.IOMMU_INFO, "iova_pgsizes")).isEqualTo(8);
        assertThat(offset(VfioStruct.IOMMU_INFO, "cap_offset")).isEqualTo(16);
        assertThat(offset(VfioStruct.DMA_MAP, "vaddr")).isEqualTo(8);
        assertThat(offset(VfioStruct.DMA_MAP, "iova")).isEqualTo(16);
        assertThat(offset(VfioStruct.DMA_MAP, "size")).isEqualTo(24);
        assertThat(offset(VfioStruct.DMA_UNMAP, "iova")).isEqualTo(8);
        assertThat(offset(VfioStruct.DMA_UNMAP, "size")).isEqualTo(16);
    }

    private static long offset(StructLayout layout, String field) {
        return layout.byteOffset(groupElement(field));
    }
}
