package io.doorbell.pci.vfio;

import static io.doorbell.pci.vfio.VfioIoctl.*;

import io.doorbell.dma.IommuMapper.IovaRange;
import io.doorbell.dma.kernel.FakeKernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.pci.FakeHost;
import io.doorbell.pci.region.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jnr.constants.platform.Errno;

/**
 * VFIO's side of a {@link FakeHost}: every function is an igb with BAR 0 (128 KiB), I/O ports at BAR 2 and the MSI-X
 * table at BAR 3, in a file that has a region at each multiple of 1 TiB as the kernel's has.
 */
final class FakeVfio {

    static final long REGION = 1L << 40;
    static final int BAR0_SIZE = 0x20000;

    final FakeHost host;
    final FakeKernel kernel;

    boolean viable = true;
    boolean resettable = true;
    boolean express = true;
    boolean iommuVersion2 = true;
    List<Region.Area> bar0Areas = List.of();
    List<IovaRange> permitted = List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, 0x7f_ffff_ffffL));
    final Map<Long, Long> mapped = new TreeMap<>();

    /** Configuration space, and what lies in the BARs when it is reached through the file. */
    final ByteBuffer config = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

    final ByteBuffer bars = ByteBuffer.allocate(BAR0_SIZE).order(ByteOrder.LITTLE_ENDIAN);

    FakeVfio(Path root) {
        host = new FakeHost(root)
                .igb("0000:01:00.0", 12)
                .driver("vfio-pci")
                .bound("0000:01:00.0", "vfio-pci")
                .file("dev/vfio/vfio", "")
                .file("dev/vfio/12", "");
        kernel = host.kernel();
        config.putShort(0, (short) 0x8086).putShort(2, (short) 0x10c9);
        container();
        group();
        device();
    }

    Vfio vfio() {
        return new Vfio(host.bus(), kernel);
    }

    private void container() {
        on(VFIO_GET_API_VERSION, (fd, none) -> 0);
        on(VFIO_CHECK_EXTENSION, (fd, type) -> type == 1 || type == 3 && iommuVersion2 ? 1 : 0);
        on(VFIO_SET_IOMMU, (fd, type) -> {
            if (type != (iommuVersion2 ? 3 : 1)) {
                throw new KernelException("ioctl", Errno.EINVAL, "");
            }
            return 0;
        });
        on(VFIO_IOMMU_GET_INFO, this::iommuInfo);
        on(VFIO_IOMMU_MAP_DMA, (fd, argument) -> {
            MemorySegment map = sized(argument, VfioStruct.DMA_MAP);
            mapped.put(map.get(ValueLayout.JAVA_LONG, 16), map.get(ValueLayout.JAVA_LONG, 24));
            return 0;
        });
        on(VFIO_IOMMU_UNMAP_DMA, (fd, argument) -> {
            MemorySegment unmap = sized(argument, VfioStruct.DMA_UNMAP);
            Long size = mapped.remove(unmap.get(ValueLayout.JAVA_LONG, 8));
            unmap.set(ValueLayout.JAVA_LONG, 16, size == null ? 0 : size);
            return 0;
        });
    }

    private void group() {
        on(VFIO_GROUP_GET_STATUS, (fd, argument) -> {
            sized(argument, VfioStruct.GROUP_STATUS).set(ValueLayout.JAVA_INT, 4, viable ? 1 : 0);
            return 0;
        });
        on(VFIO_GROUP_SET_CONTAINER, (fd, argument) -> {
            int container = at(argument, 4).get(ValueLayout.JAVA_INT, 0);
            if (!kernel.label(container).endsWith("/vfio")) {
                throw new KernelException("ioctl", Errno.EINVAL, "");
            }
            return 0;
        });
        on(VFIO_GROUP_GET_DEVICE_FD, (fd, name) -> kernel.newFd(at(name, 32).getString(0)));
    }

    private void device() {
        on(VFIO_DEVICE_GET_INFO, (fd, argument) -> {
            MemorySegment info = sized(argument, VfioStruct.DEVICE_INFO);
            info.set(ValueLayout.JAVA_INT, 4, resettable ? 3 : 2);
            info.set(ValueLayout.JAVA_INT, 8, 9);
            info.set(ValueLayout.JAVA_INT, 12, 5);
            return 0;
        });
        on(VFIO_DEVICE_GET_REGION_INFO, this::regionInfo);
        on(VFIO_DEVICE_GET_IRQ_INFO, (fd, argument) -> {
            MemorySegment info = sized(argument, VfioStruct.IRQ_INFO);
            int[] counts = {1, 1, 10, 1, 1};
            int index = info.get(ValueLayout.JAVA_INT, 8);
            if (index == IrqSet.ERROR && !express) {
                throw new KernelException("ioctl", Errno.EINVAL, "");
            }
            info.set(ValueLayout.JAVA_INT, 12, counts[index]);
            return 0;
        });
        on(VFIO_DEVICE_RESET, (fd, none) -> 0);
        for (String function : List.of("0000:01:00.0", "0000:01:00.1")) {
            kernel.on(function, new FakeKernel.Content() {
                @Override
                public void read(long offset, MemorySegment target) {
                    target.copyFrom(bytes(offset, target));
                }

                @Override
                public void write(long offset, MemorySegment source) {
                    bytes(offset, source).copyFrom(source);
                }
            });
        }
    }

    private MemorySegment bytes(long offset, MemorySegment other) {
        ByteBuffer region = offset / REGION == RegionInfo.CONFIG ? config : bars;
        return MemorySegment.ofBuffer(region).asSlice(offset % REGION, other.byteSize());
    }

    private int regionInfo(int fd, long argument) {
        MemorySegment info = sized(argument, VfioStruct.REGION_INFO);
        int index = info.get(ValueLayout.JAVA_INT, 8);
        long size = switch (index) {
            case 0 -> BAR0_SIZE;
            case 2 -> 32;
            case 3 -> 0x4000;
            case RegionInfo.CONFIG -> 4096;
            default -> 0;
        };
        boolean mappable = index == 0 || index == 3;
        boolean sparse = index == 0 && !bar0Areas.isEmpty();
        info.set(ValueLayout.JAVA_INT, 4, 3 | (mappable ? 4 : 0) | (sparse ? 8 : 0));
        info.set(ValueLayout.JAVA_LONG, 16, size);
        info.set(ValueLayout.JAVA_LONG, 24, index * REGION);
        if (sparse) {
            // An MSI-X capability that is of no interest comes first.
            int needed = 32 + 8 + 16 + 16 * bar0Areas.size();
            if (info.get(ValueLayout.JAVA_INT, 0) >= needed) {
                MemorySegment whole = at(argument, needed);
                whole.set(ValueLayout.JAVA_INT, 12, 32);
                header(whole, 32, 3, 40);
                header(whole, 40, 1, 0);
                whole.set(ValueLayout.JAVA_INT, 48, bar0Areas.size());
                for (int i = 0; i < bar0Areas.size(); i++) {
                    whole.set(
                            ValueLayout.JAVA_LONG,
                            56 + 16L * i,
                            bar0Areas.get(i).start());
                    whole.set(
                            ValueLayout.JAVA_LONG,
                            64 + 16L * i,
                            bar0Areas.get(i).size());
                }
            }
            info.set(ValueLayout.JAVA_INT, 0, needed);
        }
        return 0;
    }

    private int iommuInfo(int fd, long argument) {
        MemorySegment info = sized(argument, VfioStruct.IOMMU_INFO);
        int room = info.get(ValueLayout.JAVA_INT, 0);
        info.set(ValueLayout.JAVA_INT, 4, permitted.isEmpty() ? 1 : 3);
        info.set(ValueLayout.JAVA_LONG, 8, 0x4020_1000L); // 4 KiB, 2 MiB, 1 GiB
        if (permitted.isEmpty()) {
            return 0;
        }
        int needed = 24 + 16 + 16 + 16 * permitted.size();
        if (room >= needed) {
            MemorySegment whole = at(argument, needed);
            whole.set(ValueLayout.JAVA_INT, 16, 24);
            header(whole, 24, 3, 40);
            whole.set(ValueLayout.JAVA_INT, 32, 65535);
            header(whole, 40, 1, 0);
            whole.set(ValueLayout.JAVA_INT, 48, permitted.size());
            for (int i = 0; i < permitted.size(); i++) {
                whole.set(ValueLayout.JAVA_LONG, 56 + 16L * i, permitted.get(i).first());
                whole.set(ValueLayout.JAVA_LONG, 64 + 16L * i, permitted.get(i).last());
            }
        }
        info.set(ValueLayout.JAVA_INT, 0, needed);
        return 0;
    }

    private static void header(MemorySegment struct, long offset, int id, int next) {
        struct.set(ValueLayout.JAVA_SHORT, offset, (short) id);
        struct.set(ValueLayout.JAVA_SHORT, offset + 2, (short) 1);
        struct.set(ValueLayout.JAVA_INT, offset + 4, next);
    }

    private void on(VfioIoctl ioctl, FakeKernel.Ioctl behaviour) {
        kernel.on(ioctl.request(), ioctl.name(), behaviour);
    }

    /** The structure at an address; like the kernel, refuses one that claims less than its size. */
    private static MemorySegment sized(long address, StructLayout layout) {
        int argsz = at(address, 4).get(ValueLayout.JAVA_INT, 0);
        if (argsz < layout.byteSize()) {
            throw new KernelException("ioctl", Errno.EINVAL, "argsz=" + argsz);
        }
        return at(address, layout.byteSize());
    }

    @SuppressWarnings("restricted")
    private static MemorySegment at(long address, long size) {
        // The caller of the ioctl has allocated it.
        return MemorySegment.ofAddress(address).reinterpret(size);
    }
}
