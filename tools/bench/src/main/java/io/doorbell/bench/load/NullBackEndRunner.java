package io.doorbell.bench.load;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.vhost.backend.DeviceRing;
import io.doorbell.virtio.vhost.backend.VhostBackendQueue;
import io.doorbell.virtio.vhost.backend.VhostBackendServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A back-end that does nothing as quickly as can be: every buffer that a driver offers for receiving is full at once, of
 * what it held before, and every frame that it sends is gone at once. So the driver is what limits the two, and can be
 * measured.
 *
 * <p>A program of its own: listens on a socket, and answers each line on its standard input with what it has counted: the
 * time in nanoseconds, frames received by the driver, frames sent by it, polls, and polls in vain; until that ends.
 */
public final class NullBackEndRunner {

    /** Bytes in the frames that are received. */
    private static final int FRAME = 64;

    /** Frames at a time. More would come as a lump, and leave the driver waiting for the next. */
    private static final int BURST = 64;

    private static final long FEATURES =
            Feature.VIRTIO_F_VERSION_1.mask() | Feature.VIRTIO_F_RING_PACKED.mask() | Feature.VIRTIO_F_IN_ORDER.mask();

    private final Kernel kernel = Kernel.linux();
    private final VhostBackendQueue in = new VhostBackendQueue(kernel, "in", System.err::println);
    private final VhostBackendQueue out = new VhostBackendQueue(kernel, "out", System.err::println);
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong polls = new AtomicLong();
    private final AtomicLong idlePolls = new AtomicLong();

    private NullBackEndRunner() {}

    // The argument is the path of the socket.
    public static void main(String[] arguments) throws IOException {
        new NullBackEndRunner().serve(arguments[0]);
    }

    private void serve(String path) throws IOException {
        in.run(true);
        out.run(true);
        try (VhostBackendServer server =
                        new VhostBackendServer(kernel, "null back-end", path, FEATURES, List.of(in, out), () -> {});
                BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            server.start();
            Thread.ofPlatform().daemon().name("poller").start(this::poll);
            while (input.readLine() != null) {
                System.out.println(System.nanoTime() + " " + received + " " + sent + " " + polls + " " + idlePolls);
            }
        }
    }

    private void poll() {
        while (true) {
            int toDriver = use(in, VhostBackendQueue.HEADER + FRAME);
            int fromDriver = use(out, 0);
            received.setOpaque(received.getPlain() + toDriver);
            sent.setOpaque(sent.getPlain() + fromDriver);
            polls.setOpaque(polls.getPlain() + 1);
            if (toDriver + fromDriver == 0) {
                idlePolls.setOpaque(idlePolls.getPlain() + 1);
                Thread.onSpinWait();
            }
        }
    }

    private static int use(VhostBackendQueue queue, int written) {
        if (!queue.gate.enter()) {
            return 0;
        }
        try {
            DeviceRing ring = queue.ring();
            if (ring == null) {
                return 0;
            }
            int count = ring.useAll(BURST, written);
            queue.publish(ring);
            return count;
        } finally {
            queue.gate.leave();
        }
    }
}
