package io.doorbell.dma.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A memory mapping that ends with its close: the segment then refuses every access instead of crashing the JVM.
 *
 * <p>Every mapping lives in an arena of the same kind, a shared one: C2 compiles a loop for the kind of arena that it
 * has seen, and recompiles it over and over when it meets a second kind.
 */
public final class Mapping implements AutoCloseable {

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    @SuppressWarnings("restricted")
    private Mapping(Kernel kernel, long address, long length) {
        // Safe: the kernel has just mapped exactly these bytes for us, and they are unmapped only when the arena
        // closes, after which the segment cannot be touched.
        this.segment = MemorySegment.ofAddress(address)
                .reinterpret(length, arena, mapped -> kernel.munmap(mapped.address(), length));
    }

    /** {@code mmap(2)}, shared, readable and writable; {@code flags} come on top of {@code MAP_SHARED}. */
    public static Mapping shared(Kernel kernel, long length, int flags, int fd, long offset) {
        long address = kernel.mmap(length, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_SHARED | flags, fd, offset);
        return new Mapping(kernel, address, length);
    }

    public MemorySegment segment() {
        return segment;
    }

    /**
     * Unmaps the memory. Must come after every device has stopped using it. A second call does nothing.
     *
     * @throws IllegalStateException while the JDK reads or writes a file by way of the segment; call again then
     */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
