package io.doorbell.pci.vfio;

import io.doorbell.dma.IommuDmaSpace;
import io.doorbell.dma.cleanup.Releases;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.Lifetime;
import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciBus;
import io.doorbell.pci.PciDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * An IOMMU group that this process has taken, in a container of its own. The functions of it that are open share it; the
 * last one to go closes it. Not thread-safe: {@link Vfio} guards it.
 */
final class VfioGroup {

    private static final int FLAG_VIABLE = 1;

    private final int number;
    private final Kernel kernel;
    private final int groupFd;
    private final VfioContainer container;
    private final IommuDmaSpace dma;
    private final Releases releases;
    private int users;

    private VfioGroup(int number, Kernel kernel, int groupFd, VfioContainer container, Releases releases) {
        this.number = number;
        this.kernel = kernel;
        this.groupFd = groupFd;
        this.container = container;
        this.dma = new IommuDmaSpace(kernel, container);
        this.releases = releases;
    }

    /** Container, group, group into container, IOMMU for both: in this order, and back in the reverse one. */
    static VfioGroup open(PciBus bus, Kernel kernel, PciDevice device) {
        int number = device.requireIommuGroup();
        Releases releases = new Releases();
        try {
            int containerFd = openContainer(bus, kernel);
            releases.add(() -> kernel.close(containerFd));
            VfioContainer.requireVersion(kernel, containerFd);

            int groupFd = openGroup(bus, kernel, device.address(), number);
            releases.add(() -> kernel.close(groupFd));
            requireViable(bus, kernel, groupFd, device, number);
            join(bus, kernel, groupFd, containerFd, device, number);

            VfioContainer container = VfioContainer.withIommu(kernel, containerFd);
            return new VfioGroup(number, kernel, groupFd, container, releases);
        } catch (Throwable e) {
            releases.allAfter(e);
            throw e;
        }
    }

    private static int openContainer(PciBus bus, Kernel kernel) {
        Path file = bus.root().resolve("dev/vfio/vfio");
        try {
            return kernel.open(file.toString(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
        } catch (KernelException e) {
            throw VfioErrors.noContainer(e, file);
        }
    }

    private static int openGroup(PciBus bus, Kernel kernel, PciAddress address, int number) {
        Path file = bus.root().resolve("dev/vfio/" + number);
        try {
            return kernel.open(file.toString(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
        } catch (KernelException e) {
            throw VfioErrors.noGroup(e, file, address, bus);
        }
    }

    private static void requireViable(PciBus bus, Kernel kernel, int groupFd, PciDevice device, int number) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct status = VfioStruct.of(arena, VfioStruct.GROUP_STATUS);
            status.call(kernel, groupFd, VfioIoctl.VFIO_GROUP_GET_STATUS, "group=" + number);
            if ((status.u32("flags") & FLAG_VIABLE) == 0) {
                throw VfioErrors.notViable(device, number, bus.group(number));
            }
        }
    }

    private static void join(PciBus bus, Kernel kernel, int groupFd, int containerFd, PciDevice device, int number) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment container = arena.allocateFrom(ValueLayout.JAVA_INT, containerFd);
            VfioIoctl.VFIO_GROUP_SET_CONTAINER.call(kernel, groupFd, container, "group=" + number);
        } catch (KernelException e) {
            // A kernel driver may have come to a member since the group was asked.
            throw switch (e.errno()) {
                case EBUSY -> VfioErrors.notViable(device, number, bus.group(number));
                default -> e;
            };
        }
    }

    int number() {
        return number;
    }

    /** A descriptor for one function of the group, which is the caller's to close. */
    int openDevice(PciAddress address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(address.toString());
            return VfioIoctl.VFIO_GROUP_GET_DEVICE_FD.call(kernel, groupFd, name, address.toString());
        }
    }

    /** What a function of the group reaches by DMA: regions of its own, in the address space of all. */
    IommuDmaSpace dmaSpace(Lifetime function) {
        return dma.sibling(function);
    }

    /** The IOMMU that stands between the group and memory. */
    VfioContainer container() {
        return container;
    }

    void use() {
        users++;
    }

    /** Counts a user out; after the last one the group is closed, and then the container. */
    boolean unuse() {
        users--;
        if (users > 0) {
            return false;
        }
        releases.all();
        return true;
    }
}
