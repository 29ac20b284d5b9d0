package io.doorbell.dma;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The machine's pool of 2 MiB hugepages. One such page takes one entry of the TLB, and of the IOMMU's, where 4 KiB
 * pages take 512.
 *
 * @param total pages in the pool
 * @param free pages that nobody has taken
 */
public record HugePages(long total, long free) {

    /** Bytes in one page. */
    public static final long SIZE = 2L << 20;

    private static final Path SYSFS = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB");

    /** The pool as it is now; an empty one where the kernel has no hugepages. */
    public static HugePages now() {
        return read(SYSFS);
    }

    static HugePages read(Path sysfs) {
        return new HugePages(number(sysfs.resolve("nr_hugepages")), number(sysfs.resolve("free_hugepages")));
    }

    private static long number(Path file) {
        try {
            return Long.parseLong(Files.readString(file).strip());
        } catch (IOException e) {
            return 0;
        }
    }
}
