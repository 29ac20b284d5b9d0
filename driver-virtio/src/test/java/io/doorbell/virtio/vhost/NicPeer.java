package io.doorbell.virtio.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.LinkPeer;
import io.doorbell.frame.Nic;
import io.doorbell.frame.spi.BoundedWait;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A NIC of ours at the other end of a vhost-user socket. */
final class NicPeer implements LinkPeer {

    private static final Duration SOON = Duration.ofSeconds(30);

    private final Supplier<Nic> open;
    private final FrameBatch batch = new FrameBatch(1);
    private @Nullable Nic nic;

    /** @param open opens the NIC, each time that the link is to come up */
    NicPeer(Supplier<Nic> open) {
        this.open = open;
    }

    @Override
    public void link(boolean up) {
        if (nic != null) {
            nic.close();
        }
        nic = up ? open.get() : null;
    }

    @Override
    public void send(byte[] frame) {
        nic.awaitLink(SOON);
        nic.pool().allocate(batch, 1);
        batch.frame(0).copyFrom(frame);
        assertThat(BoundedWait.until(() -> nic.txQueue(0).send(batch) == 1, SOON))
                .as("there is room for a frame")
                .isTrue();
    }

    @Override
    public Optional<byte[]> receive(Duration patience) {
        if (!BoundedWait.until(() -> nic.rxQueue(0).receive(batch) == 1, patience)) {
            return Optional.empty();
        }
        byte[] frame = batch.frame(0).toByteArray();
        batch.release();
        return Optional.of(frame);
    }
}
