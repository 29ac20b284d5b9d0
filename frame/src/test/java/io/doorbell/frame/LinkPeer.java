package io.doorbell.frame;

import java.time.Duration;
import java.util.Optional;

/** The other end of the link of a NIC that is tested. For one thread. */
public interface LinkPeer {

    /** Sends a frame to the NIC, which receives. */
    void send(byte[] frame);

    /** The next frame that the NIC has sent; empty when none comes in time. */
    Optional<byte[]> receive(Duration patience);

    /** Takes the link down, or brings it up again. The NIC may need a moment to see it. */
    void link(boolean up);
}
