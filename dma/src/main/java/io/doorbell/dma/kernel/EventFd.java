package io.doorbell.dma.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jnr.constants.platform.Errno;

/** A counter of the kernel's by which one thread or process tells another of an event (eventfd(2)). Thread-safe. */
public final class EventFd implements AutoCloseable {

    private static final MemorySegment ONE = Arena.global().allocate(ValueLayout.JAVA_LONG);

    static {
        ONE.set(ValueLayout.JAVA_LONG, 0, 1);
    }

    /** poll(2) passes over a negative descriptor. */
    private static final int NONE = -1;

    private final Kernel kernel;

    /** {@link #NONE} once closed: the kernel gives the number to somebody else then, whom we must not write to. */
    private int fd;

    private EventFd(Kernel kernel, int fd) {
        this.kernel = kernel;
        this.fd = fd;
    }

    public static EventFd create(Kernel kernel) {
        return new EventFd(kernel, kernel.eventfd(0, Kernel.EFD_NONBLOCK | Kernel.EFD_CLOEXEC));
    }

    /**
     * Takes over a descriptor that another process has sent. {@link #clear} never waits, whatever it really is, and
     * {@link #signal} does not unless that process changes it back meanwhile: whether a descriptor waits is the same for
     * all who share it.
     */
    public static EventFd adopt(Kernel kernel, int fd) {
        try {
            kernel.setNonBlocking(fd);
        } catch (RuntimeException e) {
            kernel.close(fd);
            throw e;
        }
        return new EventFd(kernel, fd);
    }

    /** The descriptor; −1 once closed. */
    public synchronized int fd() {
        return fd;
    }

    /**
     * Tells the other side. Allocates nothing.
     *
     * @throws KernelException {@code EBADF} once closed
     */
    public synchronized void signal() {
        requireOpen();
        try {
            kernel.write(fd, ONE);
        } catch (KernelException e) {
            // A counter that is full has not been looked at: the other side will see it all the same.
            if (e.errno() != Errno.EAGAIN) {
                throw e;
            }
        }
    }

    /**
     * Whether the other side has told us of anything since the last call. Never waits.
     *
     * @throws KernelException when it is no event counter that can be read so
     */
    public synchronized boolean clear() {
        requireOpen();
        try (Arena arena = Arena.ofConfined()) {
            // Mostly nobody has; an exception each time would cost those who ask often more than the question.
            return isSignalled(arena) && kernel.readNow(fd, arena.allocate(ValueLayout.JAVA_LONG)) == Long.BYTES;
        } catch (KernelException e) {
            if (e.errno() == Errno.EAGAIN || e.errno() == Errno.EINTR) {
                return false;
            }
            throw e;
        }
    }

    private void requireOpen() {
        if (fd == NONE) {
            throw new KernelException("eventfd", Errno.EBADF, "it is closed");
        }
    }

    private boolean isSignalled(Arena arena) {
        // struct pollfd: descriptor (4), events asked for (2), events that are (2).
        MemorySegment descriptor = arena.allocate(8, 4);
        descriptor.set(ValueLayout.JAVA_INT, 0, fd);
        descriptor.set(ValueLayout.JAVA_SHORT, 4, (short) Kernel.POLLIN);
        return kernel.poll(descriptor, 0) > 0;
    }

    /** A second call does nothing. */
    @Override
    public synchronized void close() {
        if (fd != NONE) {
            int closing = fd;
            fd = NONE;
            kernel.close(closing);
        }
    }
}
