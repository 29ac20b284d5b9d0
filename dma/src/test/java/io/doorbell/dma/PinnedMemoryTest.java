package io.doorbell.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.FakeKernel;
import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.Test;

class PinnedMemoryTest {

    private final FakeKernel kernel = new FakeKernel();

    @Test
    void comesZeroedFromTheRunningKernelWhateverPagesItHas() {
        try (PinnedMemory memory = PinnedMemory.allocate(10_000)) {
            MemorySegment segment = memory.segment();
            assertThat(segment.byteSize())
                    .isGreaterThanOrEqualTo(10_000)
                    .matches(size -> size % memory.pageSize() == 0);
            assertThat(segment.address() % memory.pageSize()).isZero();
            assertThat(segment.toArray(ValueLayout.JAVA_LONG)).containsOnly(0);
            segment.set(ValueLayout.JAVA_LONG, segment.byteSize() - 8, 42);
            assertThat(segment.get(ValueLayout.JAVA_LONG, segment.byteSize() - 8))
                    .isEqualTo(42);
        }
    }

    /** Else every access of ours to a page that is gone would be a fault. */
    @Test
    void whoeverItIsSharedWithCannotChangeItsSize() {
        Kernel linux = Kernel.linux();
        try (PinnedMemory memory = PinnedMemory.allocate(3 * HugePages.SIZE)) {
            int theirs = linux.open("/proc/self/fd/" + memory.fd(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
            try {
                for (long size : new long[] {0, HugePages.SIZE, 4 * HugePages.SIZE}) {
                    assertThatThrownBy(() -> linux.ftruncate(theirs, size))
                            .hasMessageStartingWith("ftruncate failed: EPERM");
                }
                assertThat(linux.fileSize(theirs)).isEqualTo(memory.segment().byteSize());
            } finally {
                linux.close(theirs);
            }
        }
    }

    @Test
    void takesHugepagesWhereThereAreAny() {
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, HugePages.SIZE + 1)) {
            assertThat(memory.pageSize()).isEqualTo(HugePages.SIZE);
            assertThat(memory.segment().byteSize()).isEqualTo(2 * HugePages.SIZE);
            assertThat(kernel.calls())
                    .containsExactly(
                            "memfd_create hugepages",
                            "ftruncate memfd length=4194304",
                            "seal memfd",
                            "mmap memfd offset=0x0 length=0x400000");
        }
        assertThat(kernel.open()).isEmpty();
        assertThat(kernel.mappedBytes()).isZero();
    }

    @Test
    void fallsBackToOrdinaryPagesWhereTheKernelHasNoHugepages() {
        kernel.fail("memfd_create hugepages", Errno.EINVAL);
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, 4097)) {
            assertThat(memory.pageSize()).isEqualTo(4096);
            assertThat(memory.segment().byteSize()).isEqualTo(8192);
        }
    }

    @Test
    void fallsBackToOrdinaryPagesWhenThePoolIsEmpty() {
        // An empty pool shows only when the pages are claimed.
        kernel.fail("mmap memfd offset=0x0 length=0x200000", Errno.ENOMEM);
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, 4096)) {
            assertThat(memory.pageSize()).isEqualTo(4096);
            assertThat(kernel.open()).as("the hugepage file is closed").containsExactly("memfd");
        }
        assertThat(kernel.open()).isEmpty();
    }

    @Test
    void keepsInMindWhyThereAreNoHugepages() {
        kernel.fail("memfd_create hugepages", Errno.EPERM);
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, 4097)) {
            assertThat(memory.whyOrdinaryPages())
                    .contains("memfd_create failed: EPERM (Operation not permitted), hugepages");
        }
        kernel.heal("memfd_create hugepages");
        try (PinnedMemory memory = PinnedMemory.allocate(kernel, 4097)) {
            assertThat(memory.whyOrdinaryPages()).isEmpty();
        }
    }

    @Test
    void isClosedOnce() {
        PinnedMemory memory = PinnedMemory.allocate(8192);
        memory.close();
        memory.close();
    }

    @Test
    void leaksNothingWhenThereIsNoMemoryAtAll() {
        kernel.fail("memfd_create hugepages", Errno.EPERM).fail("mmap", Errno.ENOMEM);
        assertThatThrownBy(() -> PinnedMemory.allocate(kernel, 4096))
                .hasMessageStartingWith("mmap failed: ENOMEM")
                .hasMessageEndingWith("; nor were there hugepages for 4096 bytes: memfd_create failed: EPERM (Operation"
                        + " not permitted), hugepages");
        assertThat(kernel.open()).isEmpty();
    }

    @Test
    void refusesASizeThatIsNone() {
        assertThatThrownBy(() -> PinnedMemory.allocate(0)).hasMessage("bytes must be positive, not 0");
        assertThatThrownBy(() -> PinnedMemory.allocate(Long.MAX_VALUE - 1))
                .hasMessage("9223372036854775806 bytes are more than a process can address");
    }

    @Test
    void isFoundByAnyPartOfItWhileItIsOpen() {
        PinnedMemory memory = PinnedMemory.allocate(8192);
        MemorySegment part = memory.segment().asSlice(4096, 100);
        assertThat(PinnedMemory.containing(part)).containsSame(memory);
        assertThat(PinnedMemory.containing(memory.segment())).containsSame(memory);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(PinnedMemory.containing(arena.allocate(8))).isEmpty();
        }
        memory.close();
        assertThat(PinnedMemory.containing(MemorySegment.ofAddress(part.address())))
                .isEmpty();
    }
}
