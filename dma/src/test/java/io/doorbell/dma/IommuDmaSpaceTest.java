package io.doorbell.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.FakeKernel;
import io.doorbell.dma.kernel.Lifetime;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class IommuDmaSpaceTest {

    private final FakeKernel kernel = new FakeKernel();
    private final RecordingIommu iommu = new RecordingIommu();
    private final IommuDmaSpace space = new IommuDmaSpace(kernel, iommu);

    @Test
    void mapsWhatItAllocatesAlignedAsItsPagesAre() {
        DmaRegion region = space.allocate(100);
        assertThat(region.pageSize()).isEqualTo(HugePages.SIZE);
        assertThat(region.deviceAddress()).isEqualTo(HugePages.SIZE);
        assertThat(iommu.calls).containsExactly("map 0x200000 2097152");
    }

    @Test
    void takesMemoryFromTheDeviceBeforeItFreesIt() {
        DmaRegion region = space.allocate(100);
        iommu.onUnmap = () -> assertThat(kernel.mappedBytes()).as("still there").isEqualTo(HugePages.SIZE);
        region.close();
        region.close();
        assertThat(iommu.calls).containsExactly("map 0x200000 2097152", "unmap 0x200000 2097152");
        assertThat(kernel.mappedBytes()).isZero();
        assertThat(kernel.open()).isEmpty();
    }

    @Test
    void keepsMemoryThatTheIommuDoesNotLetGoOf() {
        DmaRegion region = space.allocate(100);
        iommu.onUnmap = () -> {
            throw new DoorbellException("no");
        };
        assertThatThrownBy(region::close).hasMessage("no");
        assertThat(kernel.mappedBytes()).isEqualTo(HugePages.SIZE);
        assertThat(space.allocate(1).deviceAddress()).isNotEqualTo(region.deviceAddress());
    }

    @Test
    void registersWholePagesThatTheApplicationOwnsAndLeavesThemAloneAfterwards() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(8192, 4096);
            DmaRegion region = space.register(memory);
            assertThat(region.segment()).isEqualTo(memory);
            region.close();
            memory.fill((byte) 1);
            assertThat(iommu.calls).containsExactly("map 0x100000 8192", "unmap 0x100000 8192");
            space.register(memory);
        }
    }

    @Test
    void registersHugepagesAtAnAddressThatIsAsWellAligned() {
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, 2 * HugePages.SIZE)) {
            DmaRegion region = space.register(memory.segment());
            assertThat(region.deviceAddress()).isEqualTo(HugePages.SIZE);
            assertThat(region.pageSize()).isEqualTo(HugePages.SIZE);
            region.close();
            DmaRegion part = space.register(memory.segment().asSlice(4096));
            assertThat(part.deviceAddress())
                    .as("what starts within a page has nothing to gain")
                    .isEqualTo(0x100000);
            part.close();
        }
    }

    @Test
    void refusesMemoryThatAnIommuCannotGrant() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment pages = arena.allocate(8192, 4096);
            assertThatThrownBy(() -> space.register(MemorySegment.ofArray(new byte[4096])))
                    .hasMessageContaining("the Java heap, which moves");
            assertThatThrownBy(() -> space.register(pages.asSlice(0, 100)))
                    .hasMessageContaining("of 100 bytes is not made of whole pages")
                    .hasMessageContaining("align its address and its size to 4096");
            assertThatThrownBy(() -> space.register(pages.asSlice(64, 4096))).hasMessageContaining("whole pages");
            space.register(pages);
            assertThatThrownBy(() -> space.register(pages.asSlice(4096, 4096)))
                    .hasMessageContaining("is registered already, in part at least, at device address 0x100000");
        }
    }

    @Test
    void leaksNothingWhenTheIommuRefuses() {
        iommu.onMap = () -> {
            throw new DoorbellException("memlock");
        };
        assertThatThrownBy(() -> space.allocate(1)).hasMessage("memlock");
        assertThat(kernel.mappedBytes()).isZero();
        assertThat(kernel.open()).isEmpty();
        iommu.onMap = () -> {};
        assertThat(space.allocate(1).deviceAddress())
                .as("the address was given back")
                .isEqualTo(HugePages.SIZE);
    }

    @Test
    void closesWhatIsLeftAndAllocatesNoMore() {
        space.allocate(1);
        space.allocate(1);
        space.close();
        assertThat(kernel.mappedBytes()).isZero();
        assertThat(iommu.calls.subList(2, 4)).containsExactly("unmap 0x400000 2097152", "unmap 0x200000 2097152");
        assertThatThrownBy(() -> space.allocate(1)).hasMessage("the DMA space is closed; thread 'main' closed it");
    }

    @Test
    void closesTheOtherRegionsWhenOneFails() {
        space.allocate(1);
        space.allocate(1);
        iommu.onUnmap = () -> {
            iommu.onUnmap = () -> {};
            throw new DoorbellException("stuck");
        };
        assertThatThrownBy(space::close).hasMessage("stuck");
        assertThat(iommu.calls).contains("unmap 0x200000 2097152");
    }

    @Test
    void closesTheOtherRegionsWhenOneFailsForGood() {
        space.allocate(1);
        space.allocate(1);
        iommu.onUnmap = () -> {
            iommu.onUnmap = () -> {};
            throw new StackOverflowError();
        };
        assertThatThrownBy(space::close).isInstanceOf(StackOverflowError.class);
        assertThat(iommu.calls).contains("unmap 0x200000 2097152");
    }

    /** Whoever closes a space closes the container next: nobody may unmap from that afterwards. */
    @Test
    void hasAllEndedWhenItsCloseReturnsThoughAnotherThreadWasAboutToEndOne() {
        DmaRegion region = space.allocate(1);
        Thread[] other = new Thread[1];
        synchronized (space) {
            other[0] = Thread.ofPlatform().start(region::close);
            await(() -> other[0].getState() == Thread.State.BLOCKED);
            space.close();
            assertThat(iommu.calls).contains("unmap 0x200000 2097152");
            assertThat(kernel.mappedBytes()).isZero();
        }
        await(() -> !other[0].isAlive());
        assertThat(iommu.calls).as("once").hasSize(2);
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void givesSiblingsAddressesFromOnePoolAndRegionsOfTheirOwn() {
        IommuDmaSpace sibling = space.sibling(new Lifetime("the sibling"));
        DmaRegion mine = space.allocate(1);
        DmaRegion its = sibling.allocate(1);
        assertThat(its.deviceAddress()).isNotEqualTo(mine.deviceAddress());
        sibling.close();
        assertThatThrownBy(() -> sibling.allocate(1)).hasMessage("the sibling is closed; thread 'main' closed it");
        assertThat(iommu.calls).contains("unmap 0x400000 2097152").doesNotContain("unmap 0x200000 2097152");
        space.close();
    }

    private static final class RecordingIommu implements IommuMapper {

        final List<String> calls = new ArrayList<>();
        Runnable onMap = () -> {};
        Runnable onUnmap = () -> {};

        @Override
        public List<IovaRange> permitted() {
            return List.of(new IovaRange(0, 0xffff_ffffL));
        }

        @Override
        public long pageSize() {
            return 4096;
        }

        @Override
        public void map(long iova, long address, long size) {
            calls.add(String.format("map 0x%x %d", iova, size));
            onMap.run();
        }

        @Override
        public void unmap(long iova, long size) {
            calls.add(String.format("unmap 0x%x %d", iova, size));
            onUnmap.run();
        }
    }
}
