package io.doorbell.tools.bench;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;

/**
 * A driver's receive and transmit ring, and a device that the same thread plays. The device is as quick as can be: it
 * writes what a device has to write, and takes for granted that the driver has done its part. So it can be played
 * without a driver too, which tells what it costs.
 */
public interface PlayedRings extends AutoCloseable {

    /** Bytes in each frame: the shortest that Ethernet knows, without the check sequence. */
    int FRAME = 60;

    RxQueue rx();

    TxQueue tx();

    FramePool pool();

    /** The device has written a frame into each of the next {@code count} receive buffers. */
    void arrive(int count);

    /** The device has sent the next {@code count} frames. */
    void depart(int count);

    /** Opens the rings of one kind: {@code igb}, or {@code split} or {@code packed} virtqueues, used in order. */
    static PlayedRings open(String ring, int size) {
        int buffers = 2 * size + 512;
        return switch (ring) {
            case "igb" -> io.doorbell.igb.IgbRings.open(size, buffers);
            case "split" -> io.doorbell.virtio.Virtqueues.split(size, buffers);
            case "packed" -> io.doorbell.virtio.Virtqueues.packed(size, buffers);
            default -> throw new IllegalArgumentException("no ring is called " + ring);
        };
    }

    @Override
    void close();
}
