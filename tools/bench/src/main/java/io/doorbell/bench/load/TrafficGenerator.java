package io.doorbell.bench.load;

import io.doorbell.DoorbellException;
import io.doorbell.qemu.link.FramePeer;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A NIC's link peer: takes in what comes and, while it is told to, sends as much as the NIC takes. A thread of
 * its own, until it is closed.
 */
public final class TrafficGenerator implements AutoCloseable {

    private static final int BURST = 512;
    private static final int FRAME = 60;
    private static final Duration NAP = Duration.ofMillis(10);
    private static final Duration JOIN = Duration.ofSeconds(10);

    private final FramePeer peer;
    private final MemorySegment frame = MemorySegment.ofArray(new byte[FRAME]);
    private final Thread thread =
            Thread.ofPlatform().daemon().name("traffic generator").unstarted(this::run);
    private volatile boolean flood;
    private volatile boolean closed;

    public TrafficGenerator(FramePeer peer) {
        this.peer = peer;
        byte[] header = {2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 9, (byte) 0x88, (byte) 0xb5};
        MemorySegment.copy(MemorySegment.ofArray(header), 0, frame, 0, header.length);
        thread.start();
    }

    /** Whether to send from now on. */
    public void flood(boolean on) {
        flood = on;
    }

    private void run() {
        try {
            while (!closed) {
                boolean moved = false;
                while (peer.poll()) {
                    moved = true;
                }
                for (int i = 0; i < BURST && flood; i++) {
                    long at = peer.tryReserve(FRAME);
                    if (at < 0) {
                        break;
                    }
                    MemorySegment.copy(frame, 0, peer.outbox(), at, FRAME);
                    moved = true;
                }
                peer.tryFlush();
                if (!moved) {
                    peer.await(NAP);
                }
            }
        } catch (RuntimeException e) {
            if (!closed) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            if (!thread.join(JOIN)) {
                throw new DoorbellException("the link peer of a NIC did not stop within " + JOIN.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
