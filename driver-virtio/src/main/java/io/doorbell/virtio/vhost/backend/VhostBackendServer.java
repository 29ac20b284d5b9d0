package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostDisconnected;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Listens on a socket and serves the front-ends that connect, one at a time, on a thread of its own. Whatever goes wrong
 * ends one session at most: it is said, and the next front-end is served.
 */
public final class VhostBackendServer implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(VhostBackendServer.class.getName());

    /** How long the thread may take to end: a poll, and what was being done for a front-end. It waits for none. */
    private static final Duration DEATH = Duration.ofSeconds(30);

    /** How long to wait before the next try where a front-end could not even be let in. */
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final Kernel kernel;
    private final String name;
    private final Duration patience;
    private final VhostSocketFile file;
    private final long offered;
    private final List<VhostBackendQueue> queues;
    private final Runnable served;
    private final Thread thread;
    private final AtomicLong sessions = new AtomicLong();

    /** The front-end that is being served. */
    private @Nullable VhostConnection connection;

    /** Why it is to be served no longer. */
    private volatile @Nullable String complaint;

    private volatile boolean closed;

    /** Listens; {@link #start} serves. */
    public VhostBackendServer(
            Kernel kernel, String name, String path, long offered, List<VhostBackendQueue> queues, Runnable served) {
        this(kernel, name, path, offered, queues, served, VhostConnection.PATIENCE);
    }

    /**
     * @param served what to do whenever a front-end has changed something, or has gone
     * @param patience with a front-end that does not read, or sends half a message
     */
    public VhostBackendServer(
            Kernel kernel,
            String name,
            String path,
            long offered,
            List<VhostBackendQueue> queues,
            Runnable served,
            Duration patience) {
        this.kernel = kernel;
        this.name = name;
        this.offered = offered;
        this.queues = queues;
        this.served = served;
        this.patience = patience;
        this.file = VhostSocketFile.listen(kernel, path);
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::serveAll);
    }

    public void start() {
        thread.start();
    }

    /** Front-ends that have connected so far. */
    long sessions() {
        return sessions.get();
    }

    /** Disconnects the front-end. Any thread, also one that polls a queue; it does not wait. */
    void complain(String about) {
        complaint = about;
        hangUp();
    }

    private synchronized void hangUp() {
        if (connection != null) {
            connection.hangUp();
        }
    }

    private synchronized void serving(@Nullable VhostConnection current) {
        connection = current;
        if (closed) {
            hangUp();
        }
    }

    private void serveAll() {
        boolean said = false;
        while (!closed) {
            try {
                file.socket().await(Kernel.POLLIN, -1);
                Optional<UnixSocket> front =
                        closed ? Optional.empty() : file.socket().accept(0);
                said = false;
                front.ifPresent(this::serve);
            } catch (Throwable e) {
                // No descriptor or no memory, as a rule. The front-end waits in the kernel's queue meanwhile.
                if (!closed && !said) {
                    said = true;
                    LOG.log(Level.WARNING, name + ": cannot let a front-end in, and tries again: " + e.getMessage(), e);
                }
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }

    private void serve(UnixSocket socket) {
        complaint = null;
        sessions.incrementAndGet();
        try (socket;
                VhostConnection front = new VhostConnection(kernel, "the front-end of " + name, socket, patience);
                VhostBackendSession session = new VhostBackendSession(kernel, front, offered, queues)) {
            serving(front);
            while (!closed && complaint == null) {
                front.receive(-1).ifPresent(session::handle);
                served.run();
            }
        } catch (VhostDisconnected e) {
            LOG.log(Level.DEBUG, "{0}: the front-end has gone", name);
        } catch (DoorbellException e) {
            disconnected(String.valueOf(e.getMessage()), null);
        } catch (InternalError e) {
            disconnected("it took memory away that it had shared", null);
        } catch (Throwable e) {
            disconnected("it met an error of Doorbell's", e);
        } finally {
            serving(null);
            served.run();
        }
        String about = complaint;
        if (about != null) {
            disconnected(about, null);
        }
    }

    private void disconnected(String why, @Nullable Throwable cause) {
        if (!closed) {
            LOG.log(Level.WARNING, name + ": the front-end is disconnected: " + why, cause);
        }
    }

    /** Disconnects the front-end and stops listening, and returns when both have ended. */
    @Override
    public void close() {
        closed = true;
        file.socket().hangUp();
        hangUp();
        LockSupport.unpark(thread);
        try {
            if (!ended()) {
                throw new DoorbellException(
                        name + ": the thread that serves the front-end did not end within " + DEATH.toSeconds() + " s");
            }
        } finally {
            file.close();
        }
    }

    /** Waits for the thread, also when the one that waits is interrupted: what comes next needs the first one's end. */
    private boolean ended() {
        long deadline = System.nanoTime() + DEATH.toNanos();
        boolean interrupted = false;
        boolean ended = false;
        long left;
        while (!ended && (left = deadline - System.nanoTime()) > 0) {
            try {
                ended = thread.join(Duration.ofNanos(left));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return ended;
    }
}
