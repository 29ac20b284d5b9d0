package io.doorbell.virtio.vhost.frontend;

import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.virtio.transport.Straggler;
import io.doorbell.virtio.vhost.VhostConnection;
import java.util.List;

/**
 * A back-end that was let go of while its queues were enabled, since it did not answer or answered nonsense. That it is
 * told of the end, by half of the connection, stops nobody who is stopped in a debugger from finishing what he was at. So
 * the other half stays open: a back-end hangs up when it has read that, or when it dies, and writes nothing any more. Any
 * thread.
 */
final class VhostStraggler implements Straggler, AutoCloseable {

    private final VhostConnection connection;
    private final List<EventFd> events;
    private boolean gone;
    private boolean closed;

    /** Takes over the connection, and the events that this back-end shares with no other then. */
    VhostStraggler(VhostConnection connection, List<EventFd> events) {
        this.connection = connection;
        this.events = List.copyOf(events);
        connection.endSending();
    }

    @Override
    public synchronized boolean isGone() {
        if (!closed && connection.hasHungUp()) {
            gone = true;
            close();
        }
        return gone;
    }

    /** From here on, nobody will know. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Cleanup cleanup = new Cleanup().then(connection::close);
            events.forEach(event -> cleanup.then(event::close));
            cleanup.end();
        }
    }
}
