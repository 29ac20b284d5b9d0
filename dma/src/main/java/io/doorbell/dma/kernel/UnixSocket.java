package io.doorbell.dma.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import jnr.constants.platform.Errno;

/**
 * A unix stream socket that can carry open files along with bytes ({@code SCM_RIGHTS}, unix(7)), which Java's own
 * cannot. Nothing here waits longer than it is told to. For set-up, not for the hot path.
 *
 * <p>Belongs to one thread at a time, {@link #await} and {@link #hangUp} excepted.
 */
public final class UnixSocket implements AutoCloseable {

    /** The most files that one message can carry here. */
    public static final int MAX_FILES = 8;

    /** Bytes in a path, the terminating zero left out. */
    public static final int MAX_PATH = 107;

    /** poll(2) passes over a negative descriptor. */
    private static final int NOBODY = -1;

    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    private static final int TYPE = Kernel.SOCK_STREAM | Kernel.SOCK_CLOEXEC | Kernel.SOCK_NONBLOCK;
    private static final int BACKLOG = 8;

    /** {@code struct cmsghdr}: length (8), level (4), type (4); the files follow. */
    private static final int CONTROL_HEADER = 16;

    private static final int CONTROL_SIZE = CONTROL_HEADER + MAX_FILES * Integer.BYTES;

    /** {@code struct msghdr}: name (8), its length (8), iovec (8), their count (8), control (8), its length (8), flags. */
    private static final int MESSAGE_SIZE = 56;

    private static final int MESSAGE_CONTROL_LENGTH = 40;
    private static final int MESSAGE_FLAGS = 48;

    /**
     * What has arrived.
     *
     * @param bytes how many; 0 when the peer has closed its end
     * @param files descriptors that came along, which are the receiver's to close
     */
    public record Received(int bytes, List<Integer> files) {}

    private final Kernel kernel;
    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment message = arena.allocate(MESSAGE_SIZE, 8);
    private final MemorySegment vector = arena.allocate(16, 8);
    private final MemorySegment control = arena.allocate(CONTROL_SIZE, 8);
    private boolean closed;

    private UnixSocket(Kernel kernel, int fd) {
        this.kernel = kernel;
        this.fd = fd;
        message.set(JAVA_LONG, 16, vector.address());
        message.set(JAVA_LONG, 24, 1);
    }

    /**
     * Connects to a socket that somebody listens on.
     *
     * @throws KernelException {@code ENOENT} when there is no such file, {@code ECONNREFUSED} when nobody listens
     *     there, {@code EACCES} when it may not be used
     */
    public static UnixSocket connect(Kernel kernel, String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(arena, path);
            UnixSocket socket = open(kernel);
            try {
                kernel.connect(socket.fd, address);
                return socket;
            } catch (KernelException e) {
                socket.close();
                throw e.named("connect", path);
            }
        }
    }

    /**
     * Makes a file at {@code path} that others can connect to.
     *
     * @throws KernelException {@code EADDRINUSE} when there is a file already
     */
    public static UnixSocket listen(Kernel kernel, String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(arena, path);
            UnixSocket socket = open(kernel);
            try {
                kernel.bind(socket.fd, address);
                kernel.listen(socket.fd, BACKLOG);
                return socket;
            } catch (KernelException e) {
                socket.close();
                throw e.named("bind", path);
            }
        }
    }

    private static UnixSocket open(Kernel kernel) {
        return new UnixSocket(kernel, kernel.socket(Kernel.AF_UNIX, TYPE, 0));
    }

    /** {@code struct sockaddr_un}: family (2), path with its terminating zero. */
    private static MemorySegment address(Arena arena, String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > MAX_PATH) {
            throw new KernelException(
                    "sockaddr_un",
                    Errno.ENAMETOOLONG,
                    "the path of a unix socket has 1 to " + MAX_PATH + " bytes, and '" + path + "' has "
                            + bytes.length);
        }
        if (path.indexOf(0) >= 0) { // the kernel would take another path: what is before it
            throw new KernelException(
                    "sockaddr_un",
                    Errno.EINVAL,
                    "the path of a unix socket has no NUL, and '" + path.replace('\0', '\u2400') + "' has one");
        }
        MemorySegment address = arena.allocate(2 + bytes.length + 1, 2);
        address.set(JAVA_SHORT, 0, (short) Kernel.AF_UNIX);
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 2, bytes.length);
        return address;
    }

    public int fd() {
        return fd;
    }

    /** Waits for a connection to a socket that {@link #listen}s; empty when none came in time. */
    public Optional<UnixSocket> accept(int timeoutMillis) {
        if (await(Kernel.POLLIN, timeoutMillis) == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(new UnixSocket(kernel, kernel.accept(fd, Kernel.SOCK_CLOEXEC | Kernel.SOCK_NONBLOCK)));
        } catch (KernelException e) {
            if (e.errno() == Errno.EAGAIN || e.errno() == Errno.ECONNABORTED) {
                return Optional.empty(); // it came and went
            }
            throw e;
        }
    }

    /**
     * Waits until something has happened or the time is over. Any thread may, while another one sends or receives.
     *
     * @param events {@link Kernel#POLLIN}, {@link Kernel#POLLOUT}, both or none
     * @param timeoutMillis −1 for any time
     * @return which of them, {@link Kernel#POLLHUP} and {@link Kernel#POLLERR} there are; 0 when the time is over
     */
    public int await(int events, int timeoutMillis) {
        return await(events, timeoutMillis, NOBODY);
    }

    /** As {@link #await(int, int)}; returns early, with 0 unless something has happened too, when there is an event. */
    public int await(int events, int timeoutMillis, EventFd early) {
        return await(events, timeoutMillis, early.fd());
    }

    private int await(int events, int timeoutMillis, int early) {
        try (Arena own = Arena.ofConfined()) {
            // Two of struct pollfd: descriptor (4), events asked for (2), events that are (2).
            MemorySegment fds = own.allocate(16, 4);
            fds.set(JAVA_INT, 0, fd);
            fds.set(JAVA_SHORT, 4, (short) events);
            fds.set(JAVA_INT, 8, early);
            fds.set(JAVA_SHORT, 12, (short) Kernel.POLLIN);
            long start = System.nanoTime();
            while (true) {
                try {
                    return kernel.poll(fds, left(start, timeoutMillis)) == 0 ? 0 : fds.get(JAVA_SHORT, 6);
                } catch (KernelException e) {
                    if (e.errno() != Errno.EINTR) {
                        throw e;
                    }
                }
            }
        }
    }

    /** What is left of a time that began at {@code start}, in milliseconds; of any time, any time. */
    private static int left(long start, int timeoutMillis) {
        long passed = (System.nanoTime() - start) / 1_000_000;
        return timeoutMillis < 0 ? timeoutMillis : (int) Math.max(0, timeoutMillis - passed);
    }

    /**
     * Sends bytes and files, all of them.
     *
     * @param bytes native memory, at least one byte
     * @param files descriptors for the peer, which gets copies; at most {@link #MAX_FILES}
     * @throws KernelException {@code EPIPE} when the peer has gone, {@code ETIMEDOUT} when it does not take them in time
     */
    public void send(MemorySegment bytes, List<Integer> files, int timeoutMillis) {
        long start = System.nanoTime();
        long sent = 0;
        while (sent < bytes.byteSize()) {
            prepare(bytes.asSlice(sent), sent == 0 ? files : List.of());
            try {
                sent += kernel.sendmsg(fd, message, Kernel.MSG_NOSIGNAL | Kernel.MSG_DONTWAIT);
            } catch (KernelException e) {
                if (e.errno() != Errno.EAGAIN) {
                    throw e;
                }
                if (await(Kernel.POLLOUT, left(start, timeoutMillis)) == 0) {
                    throw new KernelException(
                            "sendmsg",
                            Errno.ETIMEDOUT,
                            "the peer took " + sent + " of " + bytes.byteSize() + " bytes in " + timeoutMillis + " ms");
                }
            }
        }
    }

    private void prepare(MemorySegment bytes, List<Integer> files) {
        vector.set(JAVA_LONG, 0, bytes.address());
        vector.set(JAVA_LONG, 8, bytes.byteSize());
        message.set(JAVA_LONG, 32, files.isEmpty() ? 0 : control.address());
        message.set(JAVA_LONG, MESSAGE_CONTROL_LENGTH, 0);
        if (!files.isEmpty()) {
            long length = CONTROL_HEADER + (long) files.size() * Integer.BYTES;
            message.set(JAVA_LONG, MESSAGE_CONTROL_LENGTH, length + 7 & -8);
            control.set(JAVA_LONG, 0, length);
            control.set(JAVA_INT, 8, SOL_SOCKET);
            control.set(JAVA_INT, 12, SCM_RIGHTS);
            for (int i = 0; i < files.size(); i++) {
                control.set(JAVA_INT, CONTROL_HEADER + 4L * i, files.get(i));
            }
        }
    }

    /**
     * Receives what has arrived, up to all of {@code target}: it may be less than the peer sent at once.
     *
     * @return empty when nothing came in time
     * @throws KernelException {@code ECONNRESET} when the peer went away and left bytes of ours unread,
     *     {@code EMSGSIZE} when more files came along than {@link #MAX_FILES}, {@code EMFILE} when this process can have
     *     no more of them
     */
    public Optional<Received> receive(MemorySegment target, int timeoutMillis) {
        if (await(Kernel.POLLIN, timeoutMillis) == 0) {
            return Optional.empty();
        }
        vector.set(JAVA_LONG, 0, target.address());
        vector.set(JAVA_LONG, 8, target.byteSize());
        message.set(JAVA_LONG, 32, control.address());
        message.set(JAVA_LONG, MESSAGE_CONTROL_LENGTH, CONTROL_SIZE);
        int bytes;
        try {
            bytes = (int) kernel.recvmsg(fd, message, Kernel.MSG_CMSG_CLOEXEC | Kernel.MSG_DONTWAIT);
        } catch (KernelException e) {
            if (e.errno() == Errno.EAGAIN || e.errno() == Errno.EINTR) {
                return Optional.empty();
            }
            throw e;
        }
        List<Integer> files = files();
        if ((message.get(JAVA_INT, MESSAGE_FLAGS) & Kernel.MSG_CTRUNC) != 0) {
            files.forEach(kernel::close);
            throw files.size() < MAX_FILES
                    ? new KernelException("recvmsg", Errno.EMFILE, "no room for the files that the peer sent along")
                    : new KernelException("recvmsg", Errno.EMSGSIZE, "the peer sent more than " + MAX_FILES + " files");
        }
        return Optional.of(new Received(bytes, files));
    }

    private List<Integer> files() {
        boolean any = message.get(JAVA_LONG, MESSAGE_CONTROL_LENGTH) >= CONTROL_HEADER
                && control.get(JAVA_INT, 8) == SOL_SOCKET
                && control.get(JAVA_INT, 12) == SCM_RIGHTS;
        if (!any) {
            return List.of();
        }
        long length = control.get(JAVA_LONG, 0) - CONTROL_HEADER;
        return control.asSlice(CONTROL_HEADER, length)
                .elements(JAVA_INT)
                .map(file -> file.get(JAVA_INT, 0))
                .toList();
    }

    /**
     * Ends the connection, or listening, for whoever is at it: waits end at once, on both sides. Any thread may, at any
     * time; the socket is still to be closed.
     */
    public void hangUp() {
        shutdown(Kernel.SHUT_RDWR);
    }

    /** Tells the peer that nothing more comes; what it sends still arrives. */
    public void endSending() {
        shutdown(Kernel.SHUT_WR);
    }

    private synchronized void shutdown(int how) {
        if (closed) {
            return;
        }
        try {
            kernel.shutdown(fd, how);
        } catch (KernelException e) {
            if (e.errno() != Errno.ENOTCONN) {
                throw e;
            }
        }
    }

    /** A second call does nothing: the number may be another file's by then. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            kernel.close(fd);
            arena.close();
        }
    }
}
