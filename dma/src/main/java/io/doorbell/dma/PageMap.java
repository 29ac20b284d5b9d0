package io.doorbell.dma;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where this process's pages are in physical memory (Linux: Documentation/admin-guide/mm/pagemap.rst). */
final class PageMap implements AutoCloseable {

    private static final String FILE = "/proc/self/pagemap";

    private static final long PRESENT = 1L << 63;
    private static final long FRAME_NUMBER = (1L << 55) - 1;

    private final Kernel kernel;
    private final int fd;
    private final long pageSize;

    private PageMap(Kernel kernel, int fd) {
        this.kernel = kernel;
        this.fd = fd;
        this.pageSize = kernel.pageSize();
    }

    static PageMap open(Kernel kernel) {
        return new PageMap(kernel, kernel.open(FILE, Kernel.O_CLOEXEC));
    }

    /** @throws DoorbellException when the page is not in memory, or the process may not know where it is */
    long physicalAddress(long address) {
        long entry;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(ValueLayout.JAVA_LONG);
            kernel.pread(fd, word, address / pageSize * Long.BYTES);
            entry = word.get(ValueLayout.JAVA_LONG, 0);
        }
        long frame = entry & FRAME_NUMBER;
        if ((entry & PRESENT) == 0 || frame == 0) {
            throw new DoorbellException(String.format(
                    "%s does not say where the page of 0x%x is (0x%x): only root may know, with CAP_SYS_ADMIN",
                    FILE, address, entry));
        }
        return frame * pageSize + address % pageSize;
    }

    @Override
    public void close() {
        kernel.close(fd);
    }
}
