package io.doorbell.dma.kernel;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jnr.constants.platform.Errno;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.posix.FileStat;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import org.jspecify.annotations.Nullable;

/** The seam over the C library. jnr-posix where it has the call, our own jnr-ffi interface where it has not. */
final class LinuxKernel implements Kernel {

    private static @Nullable Kernel instance;

    private static final int RLIMIT_MEMLOCK = 8;
    private static final int CAPABILITY_VERSION_3 = 0x20080522;
    private static final int CAP_IPC_LOCK = 14;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int O_NONBLOCK = 0x800;
    private static final int RWF_NOWAIT = 8;
    private static final long CURRENT_POSITION = -1;
    /** {@code struct pollfd}: the descriptor, then the events asked for and those that are (poll(2)). */
    private static final int POLLFD_SIZE = 8;

    private static final long PAGE_SIZE = 4096; // x86-64's only base page

    private final LibC c = LibraryLoader.create(LibC.class).load("c");
    private final POSIX posix = POSIXFactory.getNativePOSIX();
    private final Runtime runtime = Runtime.getRuntime(c);

    private LinuxKernel() {}

    /** Not a constant: a class that failed to become one could not say why a second time. */
    static synchronized Kernel instance() {
        if (instance == null) {
            try {
                instance = new LinuxKernel();
            } catch (LinkageError e) {
                throw new DoorbellException(
                        "cannot call Linux: jffi unpacks a library into java.io.tmpdir, which is "
                                + System.getProperty("java.io.tmpdir")
                                + ", or else into the current folder, and can write"
                                + " to neither or run nothing from there (" + e.getMessage()
                                + "): name another folder to"
                                + " Java by -Djava.io.tmpdir=FOLDER, in the environment variable JAVA_TOOL_OPTIONS where"
                                + " the command line is not yours",
                        e);
            }
        }
        return instance;
    }

    @Override
    public int open(String path, int flags) {
        return checked("open", c.open(path, flags, 0), path);
    }

    @Override
    public void close(int fd) {
        // Linux has freed the descriptor when a signal interrupts what remains of a close; it may be another's by now.
        if (c.close(fd) < 0 && runtime.getLastError() != Errno.EINTR.intValue()) {
            throw failure("close", "fd=" + fd);
        }
    }

    @Override
    public long mmap(long length, int protection, int flags, int fd, long offset) {
        long address = c.mmap(null, length, protection, flags, fd, offset);
        if (address == -1) {
            throw failure("mmap", "length=" + length + " fd=" + fd + " offset=0x" + Long.toHexString(offset));
        }
        return address;
    }

    @Override
    public void munmap(long address, long length) {
        checked("munmap", c.munmap(address, length), "address=0x" + Long.toHexString(address) + " length=" + length);
    }

    @Override
    public int ioctl(int fd, long request, MemorySegment argument) {
        return ioctl(fd, request, argument.address());
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
        int result = c.ioctl(fd, request, argument);
        if (result < 0) {
            throw failure("ioctl", "fd=" + fd + " request=0x" + Long.toHexString(request));
        }
        return result;
    }

    @Override
    public void pread(int fd, MemorySegment target, long offset) {
        whole("pread", c.pread(fd, target.address(), target.byteSize(), offset), fd, target.byteSize(), offset);
    }

    @Override
    public void pwrite(int fd, MemorySegment source, long offset) {
        whole("pwrite", c.pwrite(fd, source.address(), source.byteSize(), offset), fd, source.byteSize(), offset);
    }

    @Override
    public int memfdCreate(String name, int flags) {
        return checked("memfd_create", c.memfd_create(name, flags), name);
    }

    @Override
    public void ftruncate(int fd, long length) {
        checked("ftruncate", c.ftruncate(fd, length), "fd=" + fd + " length=" + length);
    }

    @Override
    public void addSeals(int fd, int seals) {
        checked("fcntl", c.fcntl(fd, F_ADD_SEALS, seals), "F_ADD_SEALS fd=" + fd + " seals=" + seals);
    }

    @Override
    public int seals(int fd) {
        return checked("fcntl", c.fcntl(fd, F_GET_SEALS, 0), "F_GET_SEALS fd=" + fd);
    }

    @Override
    public long fileSize(int fd) {
        FileStat stat = posix.allocateStat();
        checked("fstat", posix.fstat(fd, stat), "fd=" + fd);
        return stat.st_size();
    }

    @Override
    public long read(int fd, MemorySegment target) {
        return moved("read", c.read(fd, target.address(), target.byteSize()), fd);
    }

    @Override
    public long readNow(int fd, MemorySegment target) {
        try (Arena arena = Arena.ofConfined()) {
            // struct iovec: where to (8), how many bytes (8).
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ValueLayout.JAVA_LONG, 0, target.address());
            vector.set(ValueLayout.JAVA_LONG, 8, target.byteSize());
            return moved("preadv2", c.preadv2(fd, vector.address(), 1, CURRENT_POSITION, RWF_NOWAIT), fd);
        }
    }

    @Override
    public long write(int fd, MemorySegment source) {
        return moved("write", c.write(fd, source.address(), source.byteSize()), fd);
    }

    @Override
    public void setNonBlocking(int fd) {
        int flags = checked("fcntl", c.fcntl(fd, F_GETFL, 0), "F_GETFL fd=" + fd);
        checked("fcntl", c.fcntl(fd, F_SETFL, flags | O_NONBLOCK), "F_SETFL fd=" + fd);
    }

    @Override
    public int eventfd(int initial, int flags) {
        return checked("eventfd", c.eventfd(initial, flags), "flags=0x" + Integer.toHexString(flags));
    }

    @Override
    public int socket(int domain, int type, int protocol) {
        return checked("socket", c.socket(domain, type, protocol), "domain=" + domain);
    }

    @Override
    public void connect(int fd, MemorySegment address) {
        checked("connect", c.connect(fd, address.address(), (int) address.byteSize()), "fd=" + fd);
    }

    @Override
    public void bind(int fd, MemorySegment address) {
        checked("bind", c.bind(fd, address.address(), (int) address.byteSize()), "fd=" + fd);
    }

    @Override
    public void listen(int fd, int backlog) {
        checked("listen", c.listen(fd, backlog), "fd=" + fd);
    }

    @Override
    public void shutdown(int fd, int how) {
        checked("shutdown", c.shutdown(fd, how), "fd=" + fd);
    }

    @Override
    public int accept(int fd, int flags) {
        return checked("accept4", c.accept4(fd, 0, 0, flags), "fd=" + fd);
    }

    @Override
    public long sendmsg(int fd, MemorySegment header, int flags) {
        return moved("sendmsg", c.sendmsg(fd, header.address(), flags), fd);
    }

    @Override
    public long recvmsg(int fd, MemorySegment header, int flags) {
        return moved("recvmsg", c.recvmsg(fd, header.address(), flags), fd);
    }

    @Override
    public int poll(MemorySegment fds, int timeoutMillis) {
        return checked("poll", c.poll(fds.address(), fds.byteSize() / POLLFD_SIZE, timeoutMillis), "");
    }

    @Override
    public long memlockLimit() {
        try (Arena arena = Arena.ofConfined()) {
            // struct rlimit: the soft limit, then the hard one (getrlimit(2)).
            MemorySegment limits = arena.allocate(2 * Long.BYTES, Long.BYTES);
            checked("getrlimit", c.getrlimit(RLIMIT_MEMLOCK, limits.address()), "RLIMIT_MEMLOCK");
            return mayPinAnyAmount(arena) ? UNLIMITED : limits.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** {@code CAP_IPC_LOCK}, which VFIO asks for before it looks at the limit. */
    private boolean mayPinAnyAmount(Arena arena) {
        // capget(2): version and process (0 is this one); effective, permitted, inheritable, twice 32 bits of each.
        MemorySegment header = arena.allocate(2 * Integer.BYTES, Integer.BYTES);
        header.set(ValueLayout.JAVA_INT, 0, CAPABILITY_VERSION_3);
        MemorySegment sets = arena.allocate(6 * Integer.BYTES, Integer.BYTES);
        checked("capget", c.capget(header.address(), sets.address()), "");
        return (sets.get(ValueLayout.JAVA_INT, 0) & 1 << CAP_IPC_LOCK) != 0;
    }

    @Override
    public long pageSize() {
        return PAGE_SIZE;
    }

    @Override
    public boolean isRoot() {
        return posix.geteuid() == 0;
    }

    private void whole(String call, long done, int fd, long wanted, long offset) {
        String facts = "fd=" + fd + " offset=0x" + Long.toHexString(offset) + " length=" + wanted;
        if (done < 0) {
            throw failure(call, facts);
        }
        if (done != wanted) {
            throw new KernelException(call, Errno.EIO, facts + ": only " + done + " bytes were moved");
        }
    }

    private long moved(String call, long bytes, int fd) {
        if (bytes < 0) {
            throw failure(call, "fd=" + fd);
        }
        return bytes;
    }

    private int checked(String call, int result, String facts) {
        if (result < 0) {
            throw failure(call, facts);
        }
        return result;
    }

    /** errno means something only right after a call that returned −1. */
    private KernelException failure(String call, String facts) {
        return new KernelException(call, runtime.getLastError(), facts);
    }
}
