package io.doorbell.pci.vfio;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * A structure of {@code linux/vfio.h} in native memory, its fields under their own names. Those that can grow a chain
 * of capabilities are asked for twice: the first answer says how much room the chain needs.
 */
final class VfioStruct {

    static final StructLayout GROUP_STATUS = struct("vfio_group_status", intField("argsz"), intField("flags"));

    static final StructLayout DEVICE_INFO = struct(
            "vfio_device_info",
            intField("argsz"),
            intField("flags"),
            intField("num_regions"),
            intField("num_irqs"),
            intField("cap_offset"));

    static final StructLayout REGION_INFO = struct(
            "vfio_region_info",
            intField("argsz"),
            intField("flags"),
            intField("index"),
            intField("cap_offset"),
            longField("size"),
            longField("offset"));

    static final StructLayout IRQ_INFO =
            struct("vfio_irq_info", intField("argsz"), intField("flags"), intField("index"), intField("count"));

    /** The descriptors of event counters follow, 32 bits each. */
    static final StructLayout IRQ_SET = struct(
            "vfio_irq_set",
            intField("argsz"),
            intField("flags"),
            intField("index"),
            intField("start"),
            intField("count"));

    static final StructLayout IOMMU_INFO = struct(
            "vfio_iommu_type1_info",
            intField("argsz"),
            intField("flags"),
            longField("iova_pgsizes"),
            intField("cap_offset"),
            MemoryLayout.paddingLayout(4));

    static final StructLayout DMA_MAP = struct(
            "vfio_iommu_type1_dma_map",
            intField("argsz"),
            intField("flags"),
            longField("vaddr"),
            longField("iova"),
            longField("size"));

    static final StructLayout DMA_UNMAP = struct(
            "vfio_iommu_type1_dma_unmap", intField("argsz"), intField("flags"), longField("iova"), longField("size"));

    /** Far more than any chain of capabilities takes. */
    private static final int MAX_SIZE = 1 << 20;

    private final StructLayout layout;
    private final MemorySegment memory;

    private VfioStruct(StructLayout layout, MemorySegment memory) {
        this.layout = layout;
        this.memory = memory;
    }

    /** A zeroed structure that says its own size in {@code argsz}, as each of them must. */
    static VfioStruct of(Arena arena, StructLayout layout) {
        return new VfioStruct(layout, arena.allocate(layout)).u32("argsz", (int) layout.byteSize());
    }

    /** Has the structure filled, and once more with the room that its capabilities need. */
    VfioStruct query(Arena arena, Kernel kernel, int fd, VfioIoctl ioctl, String facts) {
        VfioStruct question = copy(arena, layout.byteSize());
        call(kernel, fd, ioctl, facts);
        int needed = u32("argsz");
        if (needed <= layout.byteSize() || needed > MAX_SIZE) {
            return this;
        }
        VfioStruct whole = question.copy(arena, needed);
        whole.call(kernel, fd, ioctl, facts);
        return whole;
    }

    private VfioStruct copy(Arena arena, long size) {
        VfioStruct copy = new VfioStruct(layout, arena.allocate(size, Long.BYTES));
        copy.memory.copyFrom(memory.asSlice(0, layout.byteSize()));
        return copy.u32("argsz", (int) size);
    }

    /** The same with numbers behind it, which count as part of it. */
    VfioStruct with(Arena arena, int[] numbers) {
        VfioStruct whole = copy(arena, layout.byteSize() + (long) numbers.length * Integer.BYTES);
        MemorySegment.copy(numbers, 0, whole.memory, ValueLayout.JAVA_INT, layout.byteSize(), numbers.length);
        return whole;
    }

    void call(Kernel kernel, int fd, VfioIoctl ioctl, String facts) {
        ioctl.call(kernel, fd, memory, facts);
    }

    int u32(String field) {
        return memory.get(ValueLayout.JAVA_INT, layout.byteOffset(groupElement(field)));
    }

    VfioStruct u32(String field, int value) {
        memory.set(ValueLayout.JAVA_INT, layout.byteOffset(groupElement(field)), value);
        return this;
    }

    long u64(String field) {
        return memory.get(ValueLayout.JAVA_LONG, layout.byteOffset(groupElement(field)));
    }

    VfioStruct u64(String field, long value) {
        memory.set(ValueLayout.JAVA_LONG, layout.byteOffset(groupElement(field)), value);
        return this;
    }

    /**
     * The capability with this id, from its header on to the end of the whole structure. Each begins with {@code struct
     * vfio_info_cap_header}: id (16 bits), version (16 bits), offset of the next or 0 (32 bits).
     */
    Optional<MemorySegment> capability(int id) {
        int offset = u32("cap_offset");
        // Offsets ascend in what the kernel builds; asking for that also ends a chain that runs in a circle.
        int previous = 0;
        while (offset > previous && offset <= memory.byteSize() - 8) {
            MemorySegment capability = memory.asSlice(offset);
            if (Short.toUnsignedInt(capability.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)) == id) {
                return Optional.of(capability);
            }
            previous = offset;
            offset = capability.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
        }
        return Optional.empty();
    }

    private static StructLayout struct(String name, MemoryLayout... fields) {
        return MemoryLayout.structLayout(fields).withName(name);
    }

    private static MemoryLayout intField(String name) {
        return ValueLayout.JAVA_INT.withName(name);
    }

    private static MemoryLayout longField(String name) {
        return ValueLayout.JAVA_LONG.withName(name);
    }
}
