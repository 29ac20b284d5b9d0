package io.doorbell.pci.vfio;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import java.lang.foreign.MemorySegment;

/** The requests that we make, named and numbered as in {@code linux/vfio.h}. */
enum VfioIoctl {
    // On the container
    VFIO_GET_API_VERSION(0),
    VFIO_CHECK_EXTENSION(1),
    VFIO_SET_IOMMU(2),
    VFIO_IOMMU_GET_INFO(12),
    VFIO_IOMMU_MAP_DMA(13),
    VFIO_IOMMU_UNMAP_DMA(14),
    // On a group
    VFIO_GROUP_GET_STATUS(3),
    VFIO_GROUP_SET_CONTAINER(4),
    VFIO_GROUP_GET_DEVICE_FD(6),
    // On a device; numbers above 11 have another meaning on a container
    VFIO_DEVICE_GET_INFO(7),
    VFIO_DEVICE_GET_REGION_INFO(8),
    VFIO_DEVICE_GET_IRQ_INFO(9),
    VFIO_DEVICE_SET_IRQS(10),
    VFIO_DEVICE_RESET(11);

    private static final int VFIO_TYPE = ';';
    private static final int VFIO_BASE = 100;

    private final int request;

    VfioIoctl(int index) {
        // _IO(VFIO_TYPE, VFIO_BASE + index): none of VFIO's requests carries a direction or a size.
        this.request = VFIO_TYPE << 8 | VFIO_BASE + index;
    }

    int request() {
        return request;
    }

    /** Makes the request with a structure. */
    int call(Kernel kernel, int fd, MemorySegment argument, String facts) {
        try {
            return kernel.ioctl(fd, request, argument);
        } catch (KernelException e) {
            throw e.named(name(), facts);
        }
    }

    /** Makes the request with a number; 0 where it takes none. */
    int call(Kernel kernel, int fd, long argument, String facts) {
        try {
            return kernel.ioctl(fd, request, argument);
        } catch (KernelException e) {
            throw e.named(name(), facts);
        }
    }
}
