package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.queue.NicEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A back-end, in another process, that is stopped for longer than it may take to answer, and goes on with what it was at
 * when it wakes up: whatever it writes then is not into frames that the application has by now.
 *
 * <p>Mostly this waits for who does not answer, so the layouts take their turns together.
 */
@Execution(ExecutionMode.CONCURRENT)
@ParameterizedClass
@ValueSource(strings = {"", "VIRTIO_F_RING_PACKED", "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER"})
class VhostStalledBackEndIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofSeconds(3);
    private static final long ADDRESS = 0x02_00_00_00_00_01L;
    private static final int BUFFERS = 2048;
    private static final int RING = 256;
    private static final int FRAMES = 1000;
    private static final int ROUNDS = 3;

    private static final byte MARK = 0x5a;
    private static final byte SENT = 0x11;
    private static final int LENGTH = 512;

    private final String[] without;
    private final FramePool pool = FramePool.create(BUFFERS, FramePool.HEADROOM + 2048);
    private final FrameBatch held = new FrameBatch(BUFFERS);
    private VhostUserNic front;

    @TempDir
    private Path dir;

    VhostStalledBackEndIT(String without) {
        this.without = without.isEmpty() ? new String[0] : without.split(" ");
    }

    @BeforeEach
    void openNothingYet() {
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }

    @AfterEach
    void closePool() {
        held.release();
        pool.close();
    }

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    private LinkPeerJvm backEnd() {
        return new LinkPeerJvm("vhost-user-backend:" + path(), "sleepless");
    }

    private VhostUserNic frontEnd(Duration patience) {
        Kernel kernel = Kernel.linux();
        NicConfig config =
                NicConfig.defaults().withRingSizes(RING, RING).withPool(pool).withoutFeatures(without);
        VhostTransport transport = new VhostUserTransport(kernel, path(), new MacAddress(ADDRESS), patience);
        return new VhostUserNic(kernel, VirtioNic.open("front", transport, config), transport);
    }

    private void bounce() {
        front.awaitLink(PATIENCE);
        try (NicEnd end = new NicEnd(front, 0, new NumberedExchange(ADDRESS, ADDRESS, FRAMES, FRAMES, 64))) {
            NicEnd.run(end);
        }
    }

    /** Stops the back-end while it sends frames back, so that it goes on with that; there are more in its ring. */
    private void stall(LinkPeerJvm far) {
        FrameBatch out = new FrameBatch(32);
        FrameBatch in = new FrameBatch(32);
        CompletableFuture<Void> stopping = CompletableFuture.runAsync(far::suspend);
        while (!stopping.isDone()) {
            front.rxQueue(0).receive(in);
            in.release();
            send(out);
        }
        stopping.join(); // throws if it could not be stopped
        while (send(out) > 0) {
            // until the ring is full
        }
        out.release();
    }

    private int send(FrameBatch out) {
        pool.allocate(out, out.remaining());
        for (int i = 0; i < out.size(); i++) {
            fill(out.frame(i), SENT);
        }
        return front.txQueue(0).send(out);
    }

    private static void fill(Frame frame, byte with) {
        byte[] bytes = new byte[LENGTH];
        Arrays.fill(bytes, with);
        frame.copyFrom(bytes);
    }

    /** Takes all buffers that there are. */
    private void hold() {
        int before = held.size();
        pool.allocate(held, BUFFERS);
        for (int i = before; i < held.size(); i++) {
            fill(held.frame(i), MARK);
        }
    }

    private void requireUnchanged() {
        byte[] marks = new byte[LENGTH];
        Arrays.fill(marks, MARK);
        for (int i = 0; i < held.size(); i++) {
            assertThat(held.frame(i).toByteArray()).as("frame %d", i).isEqualTo(marks);
        }
    }

    private void awaitAllBuffersBut(int inUse) {
        BoundedWait.until(
                () -> {
                    front.txQueue(0).reclaim();
                    return pool.available() >= BUFFERS - inUse;
                },
                PATIENCE);
        assertThat(pool.available()).isBetween(BUFFERS - inUse, BUFFERS);
    }

    @Test
    void whatItWritesWhenItGoesOnIsNotTheApplicationsByThen() throws Exception {
        try (LinkPeerJvm far = backEnd()) {
            front = frontEnd(SHORT);
            for (int round = 0; round < ROUNDS; round++) {
                bounce();
                stall(far);
                front.reset();
                assertThat(front.linkState().up()).isFalse();
                hold();
                assertThat(held.size())
                        .as("all buffers but those that were in the rings")
                        .isBetween(BUFFERS - 2 * RING, BUFFERS - RING);
                far.resume();
                // It reads that it was let go of, hangs up, and is called anew.
                VhostUserNicTest.waitFor(front, true);
                awaitAllBuffersBut(held.size() + RING);
                requireUnchanged();
                held.release();
            }
            assertThat(front.statistics().txErrors()).isPositive();
            bounce();
            front.close();
            assertThat(pool.available()).isEqualTo(BUFFERS);
        }
    }

    @Test
    void anotherOneServesMeanwhile() throws Exception {
        try (LinkPeerJvm far = backEnd()) {
            front = frontEnd(SHORT);
            bounce();
            stall(far);
            front.stop();
            Files.delete(Path.of(path())); // which is not stale, as somebody listens
            try (LinkPeerJvm next = backEnd()) {
                front.start();
                bounce();
                assertThat(next.isAlive()).isTrue();
                hold();
                far.resume();
                awaitAllBuffersBut(held.size() + RING);
                requireUnchanged();
                held.release();
                bounce();
                front.close();
                assertThat(pool.available()).isEqualTo(BUFFERS);
            }
        }
    }

    /** Killed, it writes nothing more either. */
    @Test
    void itsBuffersComeBackWhenItDies() throws Exception {
        try (LinkPeerJvm far = backEnd()) {
            front = frontEnd(SHORT);
            bounce();
            stall(far);
            front.stop();
            hold();
            assertThat(held.size()).isLessThanOrEqualTo(BUFFERS - RING);
            held.release();
            far.kill();
            awaitAllBuffersBut(0);
            front.close();
        }
    }

    @Test
    void aNicThatIsClosedBeforeLeavesItsBuffersAlone() throws Exception {
        try (LinkPeerJvm far = backEnd()) {
            front = frontEnd(SHORT);
            bounce();
            stall(far);
            front.close();
            hold();
            assertThat(held.size()).isLessThanOrEqualTo(BUFFERS - RING);
            far.resume();
            front = frontEnd(PATIENCE); // once it has hung up, it takes the next call
            front.awaitLink(PATIENCE);
            requireUnchanged();
            front.close();
        }
    }
}
