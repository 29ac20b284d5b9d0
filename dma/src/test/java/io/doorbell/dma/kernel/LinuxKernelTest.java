package io.doorbell.dma.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinuxKernelTest {

    /** {@code FIONREAD}: how many bytes a pipe or socket holds; a regular file has them too. */
    private static final long FIONREAD = 0x541b;

    private final Kernel kernel = Kernel.linux();

    @Test
    void mapsTheSameMemoryTwiceThroughAMemfd() {
        int fd = kernel.memfdCreate("doorbell-test", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, 8192);
        try (Mapping one = Mapping.shared(kernel, 8192, 0, fd, 0);
                Mapping upperHalf = Mapping.shared(kernel, 4096, 0, fd, 4096)) {
            one.segment().set(ValueLayout.JAVA_INT, 4100, 0x12345678);
            assertThat(upperHalf.segment().get(ValueLayout.JAVA_INT, 4)).isEqualTo(0x12345678);
        } finally {
            kernel.close(fd);
        }
    }

    /** A file of hugepages, of which there need not be any: its size is but a number until it is mapped. */
    @ParameterizedTest
    @ValueSource(ints = {0, Kernel.MFD_HUGETLB | Kernel.MFD_HUGE_2MB})
    void aSealedFileKeepsItsSizeWhoeverHasIt(int pages) {
        int seals = Kernel.F_SEAL_SHRINK | Kernel.F_SEAL_GROW | Kernel.F_SEAL_SEAL;
        int fd = kernel.memfdCreate("doorbell-test", Kernel.MFD_CLOEXEC | Kernel.MFD_ALLOW_SEALING | pages);
        try {
            kernel.ftruncate(fd, 4L << 20);
            assertThat(kernel.seals(fd)).isZero();
            kernel.addSeals(fd, seals);
            assertThat(kernel.seals(fd)).isEqualTo(seals);
            for (long size : new long[] {0, 2L << 20, 6L << 20}) {
                assertThatThrownBy(() -> kernel.ftruncate(fd, size)).hasMessageStartingWith("ftruncate failed: EPERM");
            }
            assertThatThrownBy(() -> kernel.addSeals(fd, 8)).hasMessageStartingWith("fcntl failed: EPERM");
        } finally {
            kernel.close(fd);
        }
    }

    @Test
    void refusesAccessToAMappingThatIsClosed() {
        int fd = kernel.memfdCreate("doorbell-test", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, 4096);
        Mapping mapping = Mapping.shared(kernel, 4096, 0, fd, 0);
        kernel.close(fd);
        MemorySegment segment = mapping.segment();
        segment.set(ValueLayout.JAVA_INT, 0, 1);
        mapping.close();

        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_INT, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void opensReadsAndWritesAFile(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "doorbell");
        int fd = kernel.open(file.toString(), Kernel.O_RDWR | Kernel.O_CLOEXEC);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(4);
            kernel.pread(fd, bytes, 4);
            assertThat(bytes.toArray(ValueLayout.JAVA_BYTE)).containsExactly('b', 'e', 'l', 'l');

            MemorySegment.copy("BELL".getBytes(), 0, bytes, ValueLayout.JAVA_BYTE, 0, 4);
            kernel.pwrite(fd, bytes, 4);
            assertThat(file).hasContent("doorBELL");

            assertThat(kernel.ioctl(fd, FIONREAD, bytes)).isZero();
            assertThat(bytes.get(ValueLayout.JAVA_INT_UNALIGNED, 0)).isEqualTo(8);
        } finally {
            kernel.close(fd);
        }
    }

    @Test
    void saysWhichCallFailedOnWhatAndWhy() {
        assertThatThrownBy(() -> kernel.open("/nonexistent/file", Kernel.O_RDWR))
                .hasMessage("open failed: ENOENT (No such file or directory), /nonexistent/file")
                .isInstanceOfSatisfying(
                        KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
        assertThatThrownBy(() -> kernel.close(-1)).hasMessage("close failed: EBADF (Bad file descriptor), fd=-1");
        assertThatThrownBy(() -> kernel.mmap(4096, Kernel.PROT_READ, Kernel.MAP_SHARED, -1, 0x2000))
                .hasMessage("mmap failed: EBADF (Bad file descriptor), length=4096 fd=-1 offset=0x2000");
        assertThatThrownBy(() -> kernel.ioctl(-1, 0x3b64, 0))
                .hasMessage("ioctl failed: EBADF (Bad file descriptor), fd=-1 request=0x3b64");
        assertThatThrownBy(() -> kernel.munmap(1, 4096)).hasMessageStartingWith("munmap failed: EINVAL");
        assertThatThrownBy(() -> kernel.ftruncate(-1, 1)).hasMessageStartingWith("ftruncate failed: EBADF");
        assertThatThrownBy(() -> kernel.memfdCreate("x", 0x40000000))
                .hasMessageStartingWith("memfd_create failed: EINVAL");
    }

    @Test
    void treatsAShortReadAsAnError(@TempDir Path dir) throws IOException {
        int fd = kernel.open(Files.writeString(dir.resolve("file"), "abc").toString(), Kernel.O_RDWR);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(4);
            assertThatThrownBy(() -> kernel.pread(fd, bytes, 0))
                    .hasMessageStartingWith("pread failed: EIO")
                    .hasMessageEndingWith("only 3 bytes were moved");
        } finally {
            kernel.close(fd);
        }
    }

    @Test
    void keepsTheNumberOfAnErrorThatHasNoName() {
        KernelException e = new KernelException("ioctl", 524, "fd=3");
        assertThat(e).hasMessage("ioctl failed: errno 524, fd=3");
        assertThat(e.number()).isEqualTo(524);
        assertThat(e.named("VFIO_SET_IOMMU", ""))
                .hasMessage("VFIO_SET_IOMMU failed: errno 524, fd=3")
                .hasCause(e);
    }

    @Test
    void knowsTheMemlockLimit() throws IOException {
        String limit = Files.readAllLines(Path.of("/proc/self/limits")).stream()
                .filter(line -> line.startsWith("Max locked memory"))
                .map(line -> line.replaceFirst("Max locked memory\\s+", "").split("\\s+")[0])
                .findFirst()
                .orElseThrow();
        long capabilities = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.split("\\s+")[1], 16))
                .findFirst()
                .orElseThrow();
        boolean unlimited = limit.equals("unlimited") || (capabilities & 1 << 14) != 0;
        assertThat(kernel.memlockLimit()).isEqualTo(unlimited ? Kernel.UNLIMITED : Long.parseLong(limit));
    }
}
