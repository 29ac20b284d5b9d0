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
    int MFD_ALLOW_SEALING = 2;
    int MFD_HUGETLB = 4;
    /** {@code MFD_HUGE_2MB}: log2 of the page size, in bits 26 and up. */
    int MFD_HUGE_2MB = 21 << 26;

    /** No more seals can be set. */
    int F_SEAL_SEAL = 1;
    /** The file cannot become smaller: what is mapped of it stays there. */
    int F_SEAL_SHRINK = 2;
    /** The file cannot become larger. */
    int F_SEAL_GROW = 4;

    int EFD_NONBLOCK = 0x800;
    int EFD_CLOEXEC = 0x80000;

    int AF_UNIX = 1;
    int AF_NETLINK = 16;
    int SOCK_STREAM = 1;
    int SOCK_RAW = 3;
    int SOCK_NONBLOCK = 0x800;
    int SOCK_CLOEXEC = 0x80000;

    int SHUT_WR = 1;
    int SHUT_RDWR = 2;

    int MSG_CTRUNC = 8;
    int MSG_DONTWAIT = 0x40;
    int MSG_NOSIGNAL = 0x4000;
    int MSG_CMSG_CLOEXEC = 0x40000000;

    int POLLIN = 1;
    int POLLOUT = 4;
    int POLLERR = 8;
    int POLLHUP = 0x10;

    /** {@code RLIM_INFINITY}: no limit. */
    long UNLIMITED = -1L;

    /**
     * The running Linux, over jnr-ffi.
     *
     * @throws io.doorbell.DoorbellException when jnr-ffi cannot be loaded, as where its temporary folder is not to be
     *     written to or run from
     */
    static Kernel linux() {
        return LinuxKernel.instance();
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

    /**
     * {@code fcntl(2)} with {@code F_ADD_SEALS}: forbids changes to a file of {@link #memfdCreate}, for good and to
     * whoever shares it. It needs {@link #MFD_ALLOW_SEALING}, else it fails with {@code EPERM}.
     */
    void addSeals(int fd, int seals);

    /** {@code fcntl(2)} with {@code F_GET_SEALS}; fails with {@code EINVAL} where the file system knows no seals. */
    int seals(int fd);

    /** Bytes in an open file, as {@code fstat(2)} has it. */
    long fileSize(int fd);

    /** {@code read(2)} of up to all of {@code target}; returns how many bytes came, 0 at the end. */
    long read(int fd, MemorySegment target);

    /**
     * As {@link #read}, but in no case waits, whatever others do to the file meanwhile ({@code preadv2(2)} with {@code
     * RWF_NOWAIT}): fails with {@code EAGAIN} instead, and with {@code EOPNOTSUPP} where a kind of file knows no such
     * thing, as event counters did not before Linux 5.8.
     */
    long readNow(int fd, MemorySegment target);

    /** {@code write(2)} of up to all of {@code source}; returns how many bytes went. */
    long write(int fd, MemorySegment source);

    /** Sets {@code O_NONBLOCK}, which whoever shares the open file then has too. */
    void setNonBlocking(int fd);

    /** {@code eventfd(2)}; the descriptor is the caller's to {@link #close}. */
    int eventfd(int initial, int flags);

    /** {@code socket(2)}; the descriptor is the caller's to {@link #close}. */
    int socket(int domain, int type, int protocol);

    /** {@code connect(2)}. */
    void connect(int fd, MemorySegment address);

    /** {@code bind(2)}. */
    void bind(int fd, MemorySegment address);

    /** {@code listen(2)}. */
    void listen(int fd, int backlog);

    /** {@code shutdown(2)} of {@link #SHUT_WR} or {@link #SHUT_RDWR}. */
    void shutdown(int fd, int how);

    /** {@code accept4(2)}, without the peer's address; the descriptor is the caller's to {@link #close}. */
    int accept(int fd, int flags);

    /** {@code sendmsg(2)} of a {@code struct msghdr}; returns how many bytes went. */
    long sendmsg(int fd, MemorySegment header, int flags);

    /** {@code recvmsg(2)} into a {@code struct msghdr}; returns how many bytes came, 0 at the end. */
    long recvmsg(int fd, MemorySegment header, int flags);

    /** {@code poll(2)} of an array of {@code struct pollfd}; returns how many have events, 0 when the time was over. */
    int poll(MemorySegment fds, int timeoutMillis);

    /**
     * How many bytes this process may pin: the soft {@code RLIMIT_MEMLOCK}, or {@link #UNLIMITED}, which it also is for
     * whoever has {@code CAP_IPC_LOCK}.
     */
    long memlockLimit();

    /** Bytes in an ordinary page. */
    long pageSize();

    /** {@code geteuid(2)} is 0. */
    boolean isRoot();
}
