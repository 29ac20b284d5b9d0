package io.doorbell.dma.kernel;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Variadic;
import org.jspecify.annotations.Nullable;

/**
 * The C library's own prototypes, as jnr-ffi binds them. Addresses and sizes are {@code long}: on x86-64 a pointer, a
 * {@code size_t} and an {@code off_t} are all 64 bits. Public only because jnr-ffi implements it from another module.
 */
@SuppressWarnings("exports") // nobody but jnr-ffi reads the parameter types
public interface LibC {

    @Variadic(fixedCount = 2)
    int open(String path, int flags, int mode);

    int close(int fd);

    /**
     * The address is a {@code Pointer}, not a {@code long}, for its side effect: where all parameters are integers,
     * jnr-ffi compiles a stub of its own, and that hands on a wrong sixth one (jnr-ffi 2.3.4 on x86-64).
     */
    long mmap(@Nullable Pointer address, long length, int protection, int flags, int fd, long offset);

    int munmap(long address, long length);

    @Variadic(fixedCount = 2)
    int ioctl(int fd, long request, long argument);

    long pread(int fd, long buffer, long count, long offset);

    long pwrite(int fd, long buffer, long count, long offset);

    int memfd_create(String name, int flags);

    int ftruncate(int fd, long length);

    long read(int fd, long buffer, long count);

    long preadv2(int fd, long vector, int count, long offset, int flags);

    long write(int fd, long buffer, long count);

    @Variadic(fixedCount = 2)
    int fcntl(int fd, int command, long argument);

    int eventfd(int initial, int flags);

    int socket(int domain, int type, int protocol);

    int connect(int fd, long address, int length);

    int bind(int fd, long address, int length);

    int listen(int fd, int backlog);

    int shutdown(int fd, int how);

    int accept4(int fd, long address, long length, int flags);

    long sendmsg(int fd, long header, int flags);

    long recvmsg(int fd, long header, int flags);

    int poll(long fds, long count, int timeoutMillis);

    int getrlimit(int resource, long limits);

    int capget(long header, long data);
}
