package io.doorbell.bench.driver;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.frame.warmup.Simulation;
import java.util.List;

/**
 * A driver's receive and transmit ring, and a device that the same thread plays. The device is as quick as can be: it
 * writes what a device has to write, and takes for granted that the driver has done its part. So it can be played
 * without a driver too, which tells what it costs.
 */
final class SimulatedRings implements AutoCloseable {

    /** Bytes in each frame: the shortest that Ethernet knows, without the check sequence. */
    static final int FRAME = 60;

    /** An address of which no driver asks who is there, as long as there is simulated only. */
    private static final String ANY = "0000:00:00.0";

    private final SimulatedNic simulated;
    private final int received;

    private SimulatedRings(SimulatedNic simulated, int received) {
        this.simulated = simulated;
        this.received = received;
    }

    /** Opens the rings of one kind: {@code igb}, or {@code split} or {@code packed} virtqueues, used in order. */
    static SimulatedRings open(String ring, int size) {
        NicConfig config = NicConfig.defaults().withRingSizes(size, size);
        return switch (ring) {
            case "igb" -> new SimulatedRings(only("igb", config), FRAME);
            case "split" ->
                new SimulatedRings(only("virtio", config.withoutFeatures("VIRTIO_F_RING_PACKED")), 12 + FRAME);
            case "packed" -> new SimulatedRings(only("virtio", config), 12 + FRAME);
            default -> throw new IllegalArgumentException("no ring is called " + ring);
        };
    }

    /** The first one, which for virtio is in order. */
    private static SimulatedNic only(String driver, NicConfig config) {
        List<SimulatedNic> all = Simulation.of(driver, ANY, config);
        all.subList(1, all.size()).forEach(SimulatedNic::close);
        return all.getFirst();
    }

    RxQueue rx() {
        return simulated.nic().rxQueue(0);
    }

    TxQueue tx() {
        return simulated.nic().txQueue(0);
    }

    FramePool pool() {
        return rx().pool();
    }

    /** The device has written a frame into each of the next {@code count} receive buffers. */
    void arrive(int count) {
        simulated.receiver(0).use(count, received);
    }

    /** The device has sent the next {@code count} frames. */
    void depart(int count) {
        simulated.transmitter(0).use(count, 0);
    }

    @Override
    public void close() {
        simulated.close();
    }
}
