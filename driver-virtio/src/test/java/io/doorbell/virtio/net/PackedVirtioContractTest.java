package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** QEMU's virtio-net with packed rings, and with all abilities that it has on request. */
class PackedVirtioContractTest extends QemuContract {

    PackedVirtioContractTest() {
        super("disable-legacy=on", "packed=on", "rss=on", "hash=on");
    }

    /**
     * It does, but what is sent once the other end takes frames again waits until the ring is full: QEMU does not ask to be
     * told of it (see {@link #goesOnOnceTheRingWasFull}).
     */
    @Override
    protected boolean fillsUp() {
        return false;
    }

    @Test
    void goesOnOnceTheRingWasFull() {
        Nic nic = openNic(NicConfig.defaults());
        FrameBatch batch = new FrameBatch(32);
        int blocked = sendFor(nic, batch, SHORT);
        assertThat(blocked).isGreaterThan(256);
        int wanted = 4 * blocked;
        int received = 0;
        for (long end = System.nanoTime() + SOON.toNanos(); received < wanted && System.nanoTime() < end; ) {
            while (peer().receive(Duration.ZERO).isPresent()) {
                received++;
            }
            sendFor(nic, batch, SHORT);
        }
        assertThat(received).isGreaterThanOrEqualTo(wanted);
        batch.release();
        nic.close();
    }

    /** Sends until the ring has been full for as long; returns how many frames. */
    private static int sendFor(Nic nic, FrameBatch batch, Duration full) {
        int sent = 0;
        for (long last = System.nanoTime(); System.nanoTime() - last < full.toNanos(); ) {
            int from = batch.size();
            nic.pool().allocate(batch, batch.remaining());
            for (int i = from; i < batch.size(); i++) {
                batch.frame(i).length(1000);
            }
            int taken = nic.txQueue(0).send(batch);
            sent += taken;
            last = taken > 0 ? System.nanoTime() : last;
        }
        return sent;
    }

    @Override
    protected Nic openNic(NicConfig config) {
        return VirtioNic.open(name(), new ModernPciTransport(machine.open(0)), config.withAnnouncements(true));
    }
}
