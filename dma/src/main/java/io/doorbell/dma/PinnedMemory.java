package io.doorbell.dma;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Zeroed memory fit for devices, which several {@link DmaSpace}s may register: 2 MiB hugepages where enough are free,
 * else ordinary pages. It is an anonymous file ({@code memfd_create(2)}) mapped shared, so that another process can be
 * given it too.
 *
 * <p>The pages are present from the start. An IOMMU that maps them pins them for as long as they are mapped; that, not
 * {@code mlock(2)}, is what holds ordinary pages in place (mlock forbids swapping, but not migration, and would count
 * against the memlock limit a second time).
 */
public final class PinnedMemory implements AutoCloseable {

    /** All that are open, by address: whoever has a segment only finds the file behind it here. */
    private static final ConcurrentSkipListMap<Long, PinnedMemory> OPEN = new ConcurrentSkipListMap<>();

    /** Whoever is given the file cannot take pages away from under us: to touch those would be a fault. */
    private static final int SIZE_IS_FIXED = Kernel.F_SEAL_SHRINK | Kernel.F_SEAL_GROW | Kernel.F_SEAL_SEAL;

    private final Kernel kernel;
    private final Mapping mapping;
    private final long pageSize;
    private final int fd;
    private Optional<String> whyOrdinary = Optional.empty();
    private boolean closed;

    private PinnedMemory(Kernel kernel, Mapping mapping, long pageSize, int fd) {
        this.kernel = kernel;
        this.mapping = mapping;
        this.pageSize = pageSize;
        this.fd = fd;
    }

    /** The open one that {@code memory} is a part of, or the whole of. */
    public static Optional<PinnedMemory> containing(MemorySegment memory) {
        Map.Entry<Long, PinnedMemory> candidate = OPEN.floorEntry(memory.address());
        if (!memory.isNative() || candidate == null) {
            return Optional.empty();
        }
        MemorySegment whole = candidate.getValue().segment();
        boolean inside = memory.address() + memory.byteSize() <= whole.address() + whole.byteSize();
        return inside ? Optional.of(candidate.getValue()) : Optional.empty();
    }

    /**
     * Allocates memory that belongs to no device yet.
     *
     * @param bytes at least 1; rounded up to whole pages
     * @throws DoorbellException when there is no memory left
     */
    public static PinnedMemory allocate(long bytes) {
        return allocate(Kernel.linux(), bytes);
    }

    static PinnedMemory allocate(Kernel kernel, long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("bytes must be positive, not " + bytes);
        }
        if (bytes > Long.MAX_VALUE - HugePages.SIZE) {
            throw new IllegalArgumentException(bytes + " bytes are more than a process can address");
        }
        try {
            int flags = Kernel.MFD_HUGETLB | Kernel.MFD_HUGE_2MB;
            return map(kernel, roundUp(bytes, HugePages.SIZE), HugePages.SIZE, flags);
        } catch (KernelException noHugePages) {
            // None configured, none free, or a kernel without them: ordinary pages do the same, only slower.
            return ordinary(kernel, bytes, noHugePages);
        }
    }

    private static PinnedMemory ordinary(Kernel kernel, long bytes, KernelException noHugePages) {
        String why = String.valueOf(noHugePages.getMessage());
        System.getLogger(PinnedMemory.class.getName())
                .log(
                        System.Logger.Level.DEBUG,
                        () -> bytes + " bytes are of ordinary pages, since no hugepages were to" + " be had: " + why);
        long pageSize = kernel.pageSize();
        try {
            PinnedMemory memory = map(kernel, roundUp(bytes, pageSize), pageSize, 0);
            memory.whyOrdinary = Optional.of(why);
            return memory;
        } catch (KernelException e) {
            throw new DoorbellException(
                    e.getMessage() + "; nor were there hugepages for " + bytes + " bytes: " + why, e);
        }
    }

    private static PinnedMemory map(Kernel kernel, long size, long pageSize, int flags) {
        int fd = kernel.memfdCreate("doorbell", Kernel.MFD_CLOEXEC | Kernel.MFD_ALLOW_SEALING | flags);
        try {
            kernel.ftruncate(fd, size);
            kernel.addSeals(fd, SIZE_IS_FIXED);
            Mapping mapping = Mapping.shared(kernel, size, Kernel.MAP_POPULATE, fd, 0);
            PinnedMemory memory = new PinnedMemory(kernel, mapping, pageSize, fd);
            OPEN.put(mapping.segment().address(), memory);
            return memory;
        } catch (Throwable e) {
            kernel.close(fd);
            throw e;
        }
    }

    /** Rounds up to a multiple of {@code unit}, a power of two. */
    static long roundUp(long bytes, long unit) {
        return Math.addExact(bytes, unit - 1) & -unit;
    }

    public MemorySegment segment() {
        return mapping.segment();
    }

    /** Bytes in each page: {@link HugePages#SIZE}, or an ordinary page's. */
    public long pageSize() {
        return pageSize;
    }

    /** What the kernel said when it was asked for hugepages; empty when it gave them. */
    public Optional<String> whyOrdinaryPages() {
        return whyOrdinary;
    }

    /** The anonymous file behind the memory, open until {@link #close()}. */
    public int fd() {
        return fd;
    }

    /** Frees the memory. Every {@link DmaSpace} that has it registered must have let go of it. A second call does nothing. */
    @Override
    public synchronized void close() {
        if (!closed) {
            OPEN.remove(mapping.segment().address(), this);
            mapping.close();
            closed = true;
            kernel.close(fd);
        }
    }
}
