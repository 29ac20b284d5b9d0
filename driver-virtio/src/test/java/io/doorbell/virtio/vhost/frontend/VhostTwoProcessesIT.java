package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.virtio.queue.NicEnd;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Front-end and back-end in two JVMs, which have nothing in common but a socket and shared memory. */
class VhostTwoProcessesIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long FRAMES = 50_000;
    private static final long ADDRESS = 0x02_00_00_00_00_01L;

    @TempDir
    private Path dir;

    private static void bounce(Nic nic) {
        nic.awaitLink(PATIENCE);
        try (NicEnd end = new NicEnd(nic, 0, new NumberedExchange(ADDRESS, ADDRESS, FRAMES, FRAMES, 64))) {
            NicEnd.run(end);
            assertThat(end.counts()).isEqualTo(new NumberedExchange.Counts(FRAMES, FRAMES, FRAMES, 0, 0, 0, 0));
        }
    }

    @Test
    void aBackEndInAnotherProcessIsKilledAndReplaced() {
        String path = dir.resolve("vhost.sock").toString();
        try (LinkPeerJvm far = new LinkPeerJvm("vhost-user-backend:" + path);
                Nic front = Nic.open("vhost-user:" + path)) {
            assertThat(far.isAlive()).isTrue();
            bounce(front);
            far.kill();
            VhostUserNicTest.waitFor(front, false);
            // Its socket's file is still there; the next one replaces it.
            try (LinkPeerJvm next = new LinkPeerJvm("vhost-user-backend:" + path)) {
                assertThat(next.isAlive()).isTrue();
                bounce(front);
            }
        }
    }

    @Test
    void aFrontEndInAnotherProcessIsKilledAndReplaced() {
        String path = dir.resolve("vhost.sock").toString();
        NicConfig config = NicConfig.defaults();
        try (Nic back = Nic.open("vhost-user-backend:" + path, config)) {
            for (int i = 0; i < 2; i++) {
                try (LinkPeerJvm far = new LinkPeerJvm("vhost-user:" + path)) {
                    assertThat(far.isAlive()).isTrue();
                    bounce(back);
                }
                VhostUserNicTest.waitFor(back, false);
            }
        }
    }
}
