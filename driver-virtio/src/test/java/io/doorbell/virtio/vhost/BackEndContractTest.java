package io.doorbell.virtio.vhost;

import io.doorbell.frame.LinkPeer;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicContractTest;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The back-end of a vhost-user socket, with our front-end at the other end. */
class BackEndContractTest extends NicContractTest {

    @TempDir
    private Path dir;

    private final NicPeer front =
            new NicPeer(() -> Nic.open("vhost-user:" + dir.resolve("vhost.sock"), NicConfig.defaults()));

    private boolean connected;

    /** The other end receives without MORE_SEGMENTS, and drops what one buffer does not hold. */
    @Override
    protected int longestThroughPeer() {
        return 1514;
    }

    @Override
    protected String name() {
        return "vhost-user-backend:" + dir.resolve("vhost.sock");
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return Nic.open(name(), config);
    }

    /** It connects when there is something to connect to, and stays: it comes back by itself to the next back-end. */
    @Override
    protected LinkPeer peer() {
        if (!connected) {
            connected = true;
            front.link(true);
        }
        return front;
    }

    @Override
    protected void closePeer() {
        front.link(false);
    }

    /** Whatever the front-end sends arrives. */
    @Override
    protected boolean filters() {
        return false;
    }

    /** It copies frames, and no device has to reach them. */
    @Override
    protected boolean sendsFromAnyPool() {
        return true;
    }
}
