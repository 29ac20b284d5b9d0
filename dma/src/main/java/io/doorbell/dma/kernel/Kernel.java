package io.doorbell.dma.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The one seam to the operating system: every system call that Doorbell makes passes here, so that a fake can stand in
 * for it. A call that fails throws {@link KernelException}; memory is passed as native segments or plain addresses.
 *
 * <p>Implementations are thread-safe.
 */
public interface Kernel {

    int O_WRONLY = 1;
    int O_RDWR = 2;
    int O_CLOEXEC = 0x80000;

    int PROT_READ = 1;
    int PROT_WRITE = 2;

    int MAP_SHARED = 1;
    int MAP_POPULATE = 0x8000;

    int MFD_CLOEXEC = 1;
    int MFD_HUGETLB = 4;
    /** {@code MFD_HUGE_2MB}: log2 of the page size, in bits 26 and up. */
    int MFD_HUGE_2MB = 21 << 26;

    /** {@code RLIM_INFINITY}: no limit. */
    long UNLIMITED = -1L;

    /** The running Linux, over jnr-ffi. */
    static Kernel linux() {
        return LinuxKernel.INSTANCE;
    }

    /** {@code open(2)}; the descriptor is the caller's to {@link #close}. */
    int open(String path, int flags);

    /** {@code close(2)}. */
    void close(int fd);

    /** {@code mmap(2)} at an address of the kernel's choice; wrap the result with {@link Mapping}. */
    long mmap(long length, int protection, int flags, int fd, long offset);

    /** {@code munmap(2)}. */
    void munmap(long address, long length);

    /** {@code ioctl(2)} with a structure; returns the non-negative result. */
    int ioctl(int fd, long request, MemorySegment argument);

    /** {@code ioctl(2)} with a number, or none (0); returns the non-negative result. */
    int ioctl(int fd, long request, long argument);

    /** {@code pread(2)} into all of {@code target}; a short read is an error. */
    void pread(int fd, MemorySegment target, long offset);

    /** {@code pwrite(2)} of all of {@code source}; a short write is an error. */
    void pwrite(int fd, MemorySegment source, long offset);

    /** {@code memfd_create(2)}; the descriptor is the caller's to {@link #close}. */
    int memfdCreate(String name, int flags);

    /** {@code ftruncate(2)}. */
    void ftruncate(int fd, long length);

    /** The soft {@code RLIMIT_MEMLOCK} of this process in bytes, or {@link #UNLIMITED}. */
    long memlockLimit();

    /** Bytes in an ordinary page. */
    long pageSize();

    /** {@code geteuid(2)} is 0. */
    boolean isRoot();
}
