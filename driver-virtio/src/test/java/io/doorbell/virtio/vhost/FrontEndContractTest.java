package io.doorbell.virtio.vhost;

import io.doorbell.frame.LinkPeer;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicContractTest;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The front-end of a vhost-user socket, with our back-end at the other end. */
class FrontEndContractTest extends NicContractTest {

    @TempDir
    private Path dir;

    private final NicPeer back =
            new NicPeer(() -> Nic.open("vhost-user-backend:" + dir.resolve("vhost.sock"), NicConfig.defaults()));

    @BeforeEach
    void openBackEnd() {
        back.link(true);
    }

    /** The other end receives without MORE_SEGMENTS, and drops what one buffer does not hold. */
    @Override
    protected int longestThroughPeer() {
        return 1514;
    }

    @Override
    protected String name() {
        return "vhost-user:" + dir.resolve("vhost.sock");
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return Nic.open(name(), config);
    }

    @Override
    protected LinkPeer peer() {
        return back;
    }

    @Override
    protected void closePeer() {
        back.link(false);
    }

    /** A back-end passes on all that it has: it knows of no addresses. */
    @Override
    protected boolean filters() {
        return false;
    }
}
