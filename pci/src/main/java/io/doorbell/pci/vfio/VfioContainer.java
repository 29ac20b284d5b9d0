package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.IommuMapper;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.OptionalInt;

/**
 * An address space of the IOMMU, which a group has been joined to: what is mapped here is all that its functions reach.
 * Thread-safe. The file descriptor is the caller's.
 */
final class VfioContainer implements IommuMapper {

    private static final int API_VERSION = 0;
    private static final int TYPE1_IOMMU = 1;
    private static final int TYPE1V2_IOMMU = 3;
    private static final int MAP_READ = 1;
    private static final int MAP_WRITE = 2;

    private final Kernel kernel;
    private final int fd;
    private final IommuInfo info;
    private long mappedBytes;

    private VfioContainer(Kernel kernel, int fd, IommuInfo info) {
        this.kernel = kernel;
        this.fd = fd;
        this.info = info;
    }

    /** @throws DoorbellException when the kernel speaks another version of VFIO */
    static void requireVersion(Kernel kernel, int fd) {
        int version = VfioIoctl.VFIO_GET_API_VERSION.call(kernel, fd, 0, "");
        if (version != API_VERSION) {
            throw new DoorbellException("the kernel speaks version " + version + " of VFIO, and Doorbell version "
                    + API_VERSION + ": another Linux is needed");
        }
    }

    /** Gives the container its IOMMU, which it can have only once a group has joined. */
    static VfioContainer withIommu(Kernel kernel, int fd) {
        // Version 2 unmaps exactly what was mapped; version 1 would also split.
        int type = supports(kernel, fd, TYPE1V2_IOMMU) ? TYPE1V2_IOMMU : TYPE1_IOMMU;
        if (type == TYPE1_IOMMU && !supports(kernel, fd, TYPE1_IOMMU)) {
            throw new DoorbellException(
                    "VFIO has no driver for the IOMMU of this machine: run" + " 'modprobe vfio_iommu_type1' as root");
        }
        try {
            VfioIoctl.VFIO_SET_IOMMU.call(kernel, fd, type, "type=" + type);
        } catch (KernelException e) {
            throw VfioErrors.noIommuType(e);
        }
        return new VfioContainer(kernel, fd, IommuInfo.read(kernel, fd));
    }

    private static boolean supports(Kernel kernel, int fd, int type) {
        return VfioIoctl.VFIO_CHECK_EXTENSION.call(kernel, fd, type, "extension=" + type) == 1;
    }

    @Override
    public List<IovaRange> permitted() {
        return info.permitted();
    }

    @Override
    public long pageSize() {
        return info.pageSize();
    }

    /** How many mappings the container took when it was new; unknown before Linux 5.10. */
    OptionalInt mappingLimit() {
        return info.freeMappings();
    }

    @Override
    public synchronized void map(long iova, long address, long size) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct.of(arena, VfioStruct.DMA_MAP)
                    .u32("flags", MAP_READ | MAP_WRITE)
                    .u64("vaddr", address)
                    .u64("iova", iova)
                    .u64("size", size)
                    .call(kernel, fd, VfioIoctl.VFIO_IOMMU_MAP_DMA, facts(iova, size));
            mappedBytes += size;
        } catch (KernelException e) {
            throw VfioErrors.cannotMap(e, size, mappedBytes, kernel.memlockLimit(), info.freeMappings());
        }
    }

    @Override
    public synchronized void unmap(long iova, long size) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct unmap =
                    VfioStruct.of(arena, VfioStruct.DMA_UNMAP).u64("iova", iova).u64("size", size);
            unmap.call(kernel, fd, VfioIoctl.VFIO_IOMMU_UNMAP_DMA, facts(iova, size));
            if (unmap.u64("size") != size) {
                throw new DoorbellException("VFIO_IOMMU_UNMAP_DMA took " + ByteSize.of(unmap.u64("size"))
                        + " from the device where " + facts(iova, size) + " were to go");
            }
            mappedBytes -= size;
        }
    }

    private static String facts(long iova, long size) {
        return "iova=0x" + Long.toHexString(iova) + " size=" + ByteSize.of(size);
    }
}
