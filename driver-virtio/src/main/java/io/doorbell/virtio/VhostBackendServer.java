package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.UnixSocket;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Listens on a socket and serves the front-ends that connect, one at a time, on a thread of its own. */
final class VhostBackendServer implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(VhostBackendServer.class.getName());
    /** Longer than any request can take ({@link VhostConnection#PATIENCE}). */
    private static final Duration DEATH = VhostConnection.PATIENCE.multipliedBy(3);

    private final Kernel kernel;
    private final String name;
    private final VhostSocketFile file;
    private final long offered;
    private final List<VhostBackendQueue> queues;
    private final EventFd wake;
    private final Thread thread;

    /** Why the front-end that is being served is to be served no longer. */
    private volatile @Nullable String complaint;

    private volatile boolean closed;
    private final AtomicLong sessions = new AtomicLong();

    VhostBackendServer(Kernel kernel, String name, String path, long offered, List<VhostBackendQueue> queues) {
        this.kernel = kernel;
        this.name = name;
        this.offered = offered;
        this.queues = queues;
        this.file = VhostSocketFile.listen(kernel, path);
        this.wake = EventFd.create(kernel);
        this.thread = Thread.ofPlatform().daemon().name(name).start(this::serveAll);
    }

    /** Front-ends that have connected so far. */
    long sessions() {
        return sessions.get();
    }

    /** Disconnects the front-end; any thread. */
    void complain(String about) {
        complaint = about;
        wake.signal();
    }

    private void serveAll() {
        while (!closed) {
            file.socket().await(Kernel.POLLIN, -1, wake);
            wake.clear();
            Optional<UnixSocket> front =
                    closed ? Optional.empty() : file.socket().accept(0);
            front.ifPresent(this::serve);
        }
    }

    private void serve(UnixSocket socket) {
        complaint = null;
        sessions.incrementAndGet();
        try (VhostConnection connection = new VhostConnection(kernel, "the front-end of " + name, socket);
                VhostBackendSession session = new VhostBackendSession(kernel, connection, offered, queues)) {
            while (!closed && complaint == null) {
                connection.awaitRequest(wake);
                wake.clear();
                connection.receive(0).ifPresent(session::handle);
            }
            if (!closed) {
                LOG.log(Level.WARNING, "{0}: the front-end is disconnected: {1}", name, complaint);
            }
        } catch (VhostDisconnected e) {
            LOG.log(Level.DEBUG, "{0}: the front-end has gone", name);
        } catch (DoorbellException e) {
            LOG.log(Level.WARNING, "{0}: the front-end is disconnected: {1}", name, e.getMessage());
        }
    }

    /** Disconnects the front-end and stops listening. */
    @Override
    public void close() {
        closed = true;
        wake.signal();
        try {
            if (!thread.join(DEATH)) {
                throw new DoorbellException(
                        name + ": the thread that serves the front-end did not end within " + DEATH.toSeconds() + " s");
            }
            wake.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            file.close();
        }
    }
}
