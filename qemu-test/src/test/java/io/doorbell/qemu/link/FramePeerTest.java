package io.doorbell.qemu.link;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.SocketPair;
import io.doorbell.qemu.link.NumberedExchange.Counts;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FramePeerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private SocketPair sockets;
    private FramePeer left;
    private FramePeer right;

    @BeforeEach
    void connect() throws Exception {
        sockets = SocketPair.open(folder);
        left = new FramePeer(sockets.left());
        right = new FramePeer(sockets.right());
    }

    @AfterEach
    void disconnect() {
        sockets.close();
    }

    @Test
    void carriesAFrameUnchanged() {
        left.send(new byte[] {1, 2, 3});
        left.send(new byte[] {4});
        assertThat(right.receive(PATIENCE)).containsExactly(1, 2, 3);
        assertThat(right.receive(PATIENCE)).containsExactly(4);
        assertThat(right.poll()).isFalse();
        assertThat(left.sent()).isEqualTo(2);
        assertThat(right.received()).isEqualTo(2);
    }

    @Test
    void holdsFramesBackUntilTheyAreFlushed() {
        left.outbox().asSlice(left.reserve(2), 2).fill((byte) 7);
        left.outbox().asSlice(left.reserve(3), 3).fill((byte) 8);
        assertThat(right.poll()).isFalse();
        left.flush();
        assertThat(right.receive(PATIENCE)).containsExactly(7, 7);
        assertThat(right.receive(PATIENCE)).containsExactly(8, 8, 8);
    }

    @Test
    void handsOutAFrameOnlyOnceAllOfItIsThere() {
        byte[] stream = {0, 0, 0, 3, 10, 11, 12};
        for (int i = 0; i < stream.length; i++) {
            assertThat(right.poll()).as("before byte " + i).isFalse();
            sockets.left().writeFully(ByteBuffer.wrap(stream, i, 1), PATIENCE);
        }
        assertThat(right.receive(PATIENCE)).containsExactly(10, 11, 12);
    }

    @Test
    void saysThatTheWireIsFullInsteadOfWaitingAndLosesNothing() {
        int frames = 0;
        for (long at; (at = left.tryReserve(1000)) >= 0; frames++) {
            left.outbox().asSlice(at, 1000).fill((byte) frames);
        }
        assertThat(frames).isGreaterThan(500);
        assertThat(left.tryFlush()).isFalse();
        for (int i = 0; i < frames; i++) {
            while (!right.poll()) {
                left.tryFlush();
            }
            assertThat(right.length()).isEqualTo(1000);
            assertThat(right.inbox().get(JAVA_BYTE, right.offset() + 999)).isEqualTo((byte) i);
        }
        assertThat(left.tryFlush()).isTrue();
        assertThat(right.poll()).isFalse();
    }

    /** The window is several times the socket's buffer: ends that blocked in sending would wait for each other. */
    @Test
    void carriesAnExchangeInBothDirectionsAtOnce() throws Exception {
        NumberedExchange there = new NumberedExchange(2, 1, 20_000, 20_000, 2048);
        NumberedExchange here = new NumberedExchange(1, 2, 20_000, 20_000, 2048);
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> drive(there, left));
        drive(here, right);
        other.get(60, TimeUnit.SECONDS);
        Counts perfect = new Counts(20_000, 20_000, 20_000, 0, 0, 0, 0);
        assertThat(here.counts()).isEqualTo(perfect);
        assertThat(there.counts()).isEqualTo(perfect);
    }

    private static void drive(NumberedExchange exchange, FramePeer peer) {
        while (!exchange.isFinished()) {
            if (!exchange.advance(peer)) {
                assertThat(peer.await(PATIENCE))
                        .as("something moves within " + PATIENCE)
                        .isTrue();
            }
        }
        peer.flush();
    }

    @Test
    void allocatesNothingPerFrame() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        carry(10_000);
        long before = threads.getCurrentThreadAllocatedBytes();
        carry(100_000);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated).as("bytes allocated for 100000 frames").isLessThan(100_000);
    }

    private void carry(int frames) {
        long expected = right.received() + frames;
        long bytes = 0;
        for (int batch = 0; batch < frames / 50; batch++) {
            for (int i = 0; i < 50; i++) {
                long at = left.tryReserve(500);
                left.outbox().set(JAVA_BYTE, at, (byte) i);
            }
            left.tryFlush();
            while (right.poll()) {
                bytes += right.length();
            }
        }
        assertThat(right.received()).isEqualTo(expected);
        assertThat(bytes).isEqualTo(500L * frames);
    }

    @Test
    void namesTheDeadlineWhenNoFrameComes() {
        assertThatThrownBy(() -> right.receive(Duration.ofMillis(5)))
                .isInstanceOf(QemuException.class)
                .hasMessage("right: no frame within 5 ms\n(log)");
    }

    @Test
    void refusesAStreamThatIsOutOfStep() {
        sockets.left().writeFully(ByteBuffer.wrap(new byte[] {-1, 0, 0, 0}), PATIENCE);
        assertThatThrownBy(() -> right.receive(PATIENCE)).hasMessageStartingWith("right: a frame of -16777216 bytes");
    }

    @Test
    void refusesToSendWhatIsNoFrame() {
        assertThatThrownBy(() -> left.reserve(0)).hasMessageContaining("a frame of 0 bytes");
        assertThatThrownBy(() -> left.send(MemorySegment.ofArray(new byte[1 << 20]), 0, 1 << 20))
                .hasMessageContaining("a frame of 1048576 bytes");
    }

    @Test
    void saysThatTheOtherEndIsGone() {
        left.close();
        assertThatThrownBy(() -> right.receive(PATIENCE)).hasMessageStartingWith("right: QEMU closed the connection");
    }
}
