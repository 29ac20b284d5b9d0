package io.doorbell.dma.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixSocketTest {

    private static final int PATIENCE = 10_000;

    private final Kernel kernel = Kernel.linux();
    private final Arena arena = Arena.ofConfined();

    @TempDir
    private Path dir;

    private UnixSocket listener;
    private UnixSocket client;
    private UnixSocket server;

    @BeforeEach
    void connect() {
        String path = dir.resolve("socket").toString();
        listener = UnixSocket.listen(kernel, path);
        client = UnixSocket.connect(kernel, path);
        server = listener.accept(PATIENCE).orElseThrow();
    }

    @AfterEach
    void close() {
        client.close();
        server.close();
        listener.close();
        arena.close();
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(text).asSlice(0, text.length());
    }

    @Test
    void carriesBytesBothWays() {
        client.send(bytes("there"), List.of(), PATIENCE);
        server.send(bytes("and back"), List.of(), PATIENCE);

        MemorySegment target = arena.allocate(64);
        assertThat(server.receive(target, PATIENCE).orElseThrow().bytes()).isEqualTo(5);
        assertThat(target.getString(0)).isEqualTo("there");
        UnixSocket.Received back = client.receive(target, PATIENCE).orElseThrow();
        assertThat(back.bytes()).isEqualTo(8);
        assertThat(back.files()).isEmpty();
        assertThat(target.getString(0)).isEqualTo("and back");
    }

    @Test
    void carriesOpenFilesSoThatTwoSidesShareMemory() {
        int one = memfd();
        int two = memfd();
        client.send(bytes("x"), List.of(one, two), PATIENCE);
        List<Integer> files =
                server.receive(arena.allocate(8), PATIENCE).orElseThrow().files();
        try (Mapping ours = Mapping.shared(kernel, 4096, 0, two, 0);
                Mapping theirs = Mapping.shared(kernel, 4096, 0, files.get(1), 0)) {
            assertThat(files).hasSize(2).doesNotContain(one, two);
            ours.segment().set(ValueLayout.JAVA_INT, 8, 4711);
            assertThat(theirs.segment().get(ValueLayout.JAVA_INT, 8)).isEqualTo(4711);
            assertThat(kernel.fileSize(files.get(1))).isEqualTo(4096);
        } finally {
            Stream.of(one, two, files.get(0), files.get(1)).forEach(kernel::close);
        }
    }

    private int memfd() {
        int fd = kernel.memfdCreate("doorbell-test", Kernel.MFD_CLOEXEC);
        kernel.ftruncate(fd, 4096);
        return fd;
    }

    @Test
    void sendsMoreThanTheSocketHoldsAtOnceToAPeerThatReads() throws InterruptedException {
        MemorySegment much = arena.allocate(1 << 20).fill((byte) 7);
        long[] received = {0};
        Thread reader = Thread.ofPlatform().start(() -> {
            try (Arena own = Arena.ofConfined()) {
                MemorySegment target = own.allocate(1 << 16);
                while (received[0] < 1 << 20) {
                    received[0] +=
                            server.receive(target, PATIENCE).orElseThrow().bytes();
                }
            }
        });
        client.send(much, List.of(), PATIENCE);
        reader.join(PATIENCE);
        assertThat(received[0]).isEqualTo(1 << 20);
    }

    @Test
    void saysWhenThePeerTakesNothing() {
        MemorySegment much = arena.allocate(1 << 22);
        assertThatThrownBy(() -> client.send(much, List.of(), 1))
                .hasMessageStartingWith("sendmsg failed: ETIMEDOUT")
                .hasMessageMatching(".*the peer took [0-9]+ of 4194304 bytes in 1 ms");
    }

    @Test
    void waitsNoLongerThanToldTo() {
        assertThat(server.receive(arena.allocate(8), 1)).isEmpty();
        assertThat(listener.accept(1)).isEmpty();
    }

    @Test
    void seesThePeerGo() {
        assertThat(server.await(0, 0)).isZero();
        client.send(bytes("last words"), List.of(), PATIENCE);
        client.close();

        assertThat(server.await(0, PATIENCE) & Kernel.POLLHUP).isNotZero();
        assertThat(server.receive(arena.allocate(64), PATIENCE).orElseThrow().bytes())
                .isEqualTo(10);
        assertThat(server.receive(arena.allocate(64), PATIENCE).orElseThrow().bytes())
                .isZero();
        assertThatThrownBy(() -> server.send(bytes("x"), List.of(), PATIENCE))
                .isInstanceOfSatisfying(
                        KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
        client = UnixSocket.connect(kernel, dir.resolve("socket").toString());
    }

    @Test
    void saysWhyItCannotConnect() throws IOException {
        Path file = Files.createFile(dir.resolve("file"));
        assertThatThrownBy(() -> UnixSocket.connect(kernel, dir + "/none"))
                .hasMessage("connect failed: ENOENT (No such file or directory), " + dir + "/none");
        assertThatThrownBy(() -> UnixSocket.connect(kernel, file.toString()))
                .hasMessageStartingWith("connect failed: ECONNREFUSED");
        assertThatThrownBy(() -> UnixSocket.connect(kernel, "x".repeat(108)))
                .hasMessageStartingWith("sockaddr_un failed: ENAMETOOLONG")
                .hasMessageContaining("has 108");
        assertThatThrownBy(() -> UnixSocket.listen(kernel, file.toString()))
                .hasMessageStartingWith("bind failed: EADDRINUSE");
    }

    @Test
    void hangingUpEndsWaitsOnBothSides() throws InterruptedException {
        int[] events = {0, 0};
        Thread waits = Thread.ofPlatform().start(() -> events[0] = server.await(Kernel.POLLIN, -1));
        Thread listens = Thread.ofPlatform().start(() -> events[1] = listener.await(Kernel.POLLIN, -1));
        server.hangUp();
        server.hangUp();
        listener.hangUp();
        waits.join(PATIENCE);
        listens.join(PATIENCE);
        assertThat(events[0] & Kernel.POLLHUP).isNotZero();
        assertThat(events[1] & Kernel.POLLHUP).isNotZero();
        assertThat(client.await(0, PATIENCE) & Kernel.POLLHUP).isNotZero();
        assertThatThrownBy(
                        () -> UnixSocket.connect(kernel, dir.resolve("socket").toString()))
                .hasMessageContaining("ECONNREFUSED");
    }

    /** Its number is another file's by then. */
    @Test
    void closingTwiceClosesNobodyElsesFile() {
        EventFd event = EventFd.create(kernel);
        event.close();
        client.close();
        int one = memfd();
        int two = memfd();
        event.close();
        client.close();
        client.hangUp();
        assertThat(kernel.fileSize(one)).isEqualTo(4096);
        assertThat(kernel.fileSize(two)).isEqualTo(4096);
        kernel.close(one);
        kernel.close(two);
    }

    @Test
    void eventsAreSeenOnceHoweverOftenTheyWereSignalled() {
        try (EventFd event = EventFd.create(kernel)) {
            assertThat(event.clear()).isFalse();
            event.signal();
            event.signal();
            assertThat(event.clear()).isTrue();
            assertThat(event.clear()).isFalse();
        }
    }

    @Test
    void anEventTravelsThroughASocket() {
        try (EventFd event = EventFd.create(kernel)) {
            client.send(bytes("x"), List.of(event.fd()), PATIENCE);
            int fd = server.receive(arena.allocate(8), PATIENCE)
                    .orElseThrow()
                    .files()
                    .getFirst();
            try (EventFd theirs = EventFd.adopt(kernel, fd)) {
                theirs.signal();
                assertThat(event.clear()).isTrue();
            }
        }
    }

    @Test
    void anEventEndsAWait() {
        try (EventFd event = EventFd.create(kernel)) {
            event.signal();
            assertThat(server.await(Kernel.POLLIN, -1, event)).isZero();
            client.send(bytes("x"), List.of(), PATIENCE);
            assertThat(server.await(Kernel.POLLIN, -1, event)).isEqualTo(Kernel.POLLIN);
        }
    }
}
