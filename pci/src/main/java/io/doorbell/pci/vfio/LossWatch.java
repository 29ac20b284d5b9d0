package io.doorbell.pci.vfio;

import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import jnr.constants.platform.Errno;

/**
 * A thread that waits for the kernel to want a function back, or to report that it has failed, and passes that on, once. Without
 * such a request channel, unbinding or unplugging the function would hang until the process ends.
 */
final class LossWatch implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(LossWatch.class.getName());

    private static final String REQUESTED =
            "the kernel asks for it back: it is being unplugged, or unbound from its driver";
    private static final String FAILED = "it has reported a PCI Express error that cannot be corrected";

    /** {@code struct pollfd}: descriptor (4), events asked for (2), events that are (2). */
    private static final int POLLFD = 8;

    private static final int EVENTS = 4;
    private static final int RETURNED = 6;
    private static final int FOREVER = -1;

    private final Kernel kernel;
    private final EventFd over;
    private final EventFd request;
    private final EventFd error;
    private final Thread thread;
    private final Consumer<String> listener;
    /** Set by whoever comes first: the thread, which then calls the listener, or {@link #close}, whereupon nobody does. */
    private final AtomicBoolean decided = new AtomicBoolean();

    /**
     * Starts to wait.
     *
     * @param reportsErrors whether the kernel can tell of errors of this function
     */
    static LossWatch start(Kernel kernel, int fd, String function, boolean reportsErrors, Consumer<String> listener) {
        LossWatch watch = new LossWatch(kernel, function, listener);
        return Cleanup.onFailure(watch::closeEvents, () -> {
            new IrqSet(kernel, fd, IrqSet.REQUEST, function).signal(watch.request.fd());
            if (reportsErrors) {
                new IrqSet(kernel, fd, IrqSet.ERROR, function).signal(watch.error.fd());
            }
            watch.thread.start();
            return watch;
        });
    }

    private LossWatch(Kernel kernel, String function, Consumer<String> listener) {
        this.kernel = kernel;
        this.listener = listener;
        this.over = EventFd.create(kernel);
        this.request = EventFd.create(kernel);
        this.error = EventFd.create(kernel);
        this.thread = Thread.ofPlatform().daemon().name("doorbell " + function).unstarted(this::run);
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment descriptors = arena.allocate(3 * POLLFD, Integer.BYTES);
            EventFd[] events = {over, request, error};
            for (int i = 0; i < events.length; i++) {
                descriptors.set(ValueLayout.JAVA_INT, (long) i * POLLFD, events[i].fd());
                descriptors.set(ValueLayout.JAVA_SHORT, (long) i * POLLFD + EVENTS, (short) Kernel.POLLIN);
            }
            while (poll(descriptors) <= 0) {
                // a signal came first
            }
            if (decided.compareAndSet(false, true)) {
                listener.accept(happened(descriptors, 1) ? REQUESTED : FAILED);
            }
        } catch (RuntimeException e) {
            decided.set(true); // there is nobody any more who waits for close
            LOG.log(Level.WARNING, thread.getName() + ": nobody watches this function any more", e);
        } finally {
            closeEvents();
        }
    }

    private int poll(MemorySegment descriptors) {
        try {
            return kernel.poll(descriptors, FOREVER);
        } catch (KernelException e) {
            if (e.errno() == Errno.EINTR) {
                return 0;
            }
            throw e;
        }
    }

    private static boolean happened(MemorySegment descriptors, int index) {
        return descriptors.get(ValueLayout.JAVA_SHORT, (long) index * POLLFD + RETURNED) != 0;
    }

    private void closeEvents() {
        over.close();
        request.close();
        error.close();
    }

    /** Ends the thread, unless it is with the listener, which may be whose doing this is. */
    @Override
    public void close() {
        if (decided.compareAndSet(false, true)) {
            over.signal();
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
