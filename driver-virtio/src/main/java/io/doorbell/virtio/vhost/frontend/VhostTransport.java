package io.doorbell.virtio.vhost.frontend;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.virtio.transport.VirtioTransport;

/** A transport to a device that is another process, the back-end, which may go and come back. */
public interface VhostTransport extends VirtioTransport {

    /** Makes contact with the back-end and learns what it offers. */
    void connect();

    /** Lets go of the back-end: it is gone, or is to be, and may be a {@link #takeStraggler straggler} then. */
    void disconnect();

    /** Whether there is a back-end, as far as is known. Waits for nobody. */
    boolean isConnected();

    /** Ends making contact at once, for whoever is at it, and for good. Any thread may, at any time. */
    void abandon();

    /**
     * Waits until the back-end is gone; false when there was an event first, or the time is over. Not to be called while
     * closing.
     *
     * @param timeoutMillis −1 for any time
     */
    boolean awaitHangUp(EventFd early, int timeoutMillis);
}
