package io.doorbell.tools.bench;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.NicProvider;
import io.doorbell.frame.spi.Practice;
import java.util.List;

/**
 * A driver's receive and transmit ring, and a device that the same thread plays. The device is as quick as can be: it
 * writes what a device has to write, and takes for granted that the driver has done its part. So it can be played
 * without a driver too, which tells what it costs.
 */
final class PlayedRings implements AutoCloseable {

    /** Bytes in each frame: the shortest that Ethernet knows, without the check sequence. */
    static final int FRAME = 60;

    /** An address of which no driver asks who is there, as long as there is practice only. */
    private static final String ANY = "0000:00:00.0";

    private final Practice practice;
    private final int received;

    private PlayedRings(Practice practice, int received) {
        this.practice = practice;
        this.received = received;
    }

    /** Opens the rings of one kind: {@code igb}, or {@code split} or {@code packed} virtqueues, used in order. */
    static PlayedRings open(String ring, int size) {
        NicConfig config = NicConfig.defaults().withRingSizes(size, size);
        return switch (ring) {
            case "igb" -> new PlayedRings(only("igb", config), FRAME);
            case "split" -> new PlayedRings(only("virtio", config.withoutFeatures("VIRTIO_F_RING_PACKED")), 12 + FRAME);
            case "packed" -> new PlayedRings(only("virtio", config), 12 + FRAME);
            default -> throw new IllegalArgumentException("no ring is called " + ring);
        };
    }

    /** The first one, which for virtio is in order. */
    private static Practice only(String driver, NicConfig config) {
        NicProvider provider = NicProvider.all().stream()
                .filter(candidate -> candidate.driver().equals(driver))
                .findFirst()
                .orElseThrow();
        List<Practice> all = provider.practice(ANY, config);
        all.subList(1, all.size()).forEach(Practice::close);
        return all.getFirst();
    }

    RxQueue rx() {
        return practice.nic().rxQueue(0);
    }

    TxQueue tx() {
        return practice.nic().txQueue(0);
    }

    FramePool pool() {
        return rx().pool();
    }

    /** The device has written a frame into each of the next {@code count} receive buffers. */
    void arrive(int count) {
        practice.receiver(0).use(count, received);
    }

    /** The device has sent the next {@code count} frames. */
    void depart(int count) {
        practice.transmitter(0).use(count, 0);
    }

    @Override
    public void close() {
        practice.close();
    }
}
