package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostRequest;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jnr.constants.platform.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VhostBackendServerTest {

    private static final Duration LONG = Duration.ofHours(1);

    @TempDir
    private Path dir;

    private final ConcurrentLinkedQueue<String> said = new ConcurrentLinkedQueue<>();
    private final Logger logger = Logger.getLogger(VhostBackendServer.class.getName());
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord record) {
            said.add(record.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listenToTheLog() {
        logger.addHandler(handler);
    }

    @AfterEach
    void listenNoMore() {
        logger.removeHandler(handler);
    }

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    private VhostBackendServer serve(Kernel kernel, Duration patience) {
        List<VhostBackendQueue> queues =
                List.of(new VhostBackendQueue(kernel, "0", said::add), new VhostBackendQueue(kernel, "1", said::add));
        VhostBackendServer server = new VhostBackendServer(
                kernel, "server", path(), Feature.VIRTIO_F_VERSION_1.mask(), queues, () -> {}, patience);
        server.start();
        return server;
    }

    /** The running Linux, where accept4 fails as long as {@code failures} is above 0. */
    private static Kernel starved(AtomicInteger failures, AtomicInteger tries, Errno errno) {
        return (Kernel) Proxy.newProxyInstance(
                Kernel.class.getClassLoader(), new Class<?>[] {Kernel.class}, (_, method, arguments) -> {
                    if (method.getName().equals("accept")) {
                        tries.incrementAndGet();
                        if (failures.getAndDecrement() > 0) {
                            throw new KernelException("accept4", errno, "");
                        }
                    }
                    try {
                        return method.invoke(Kernel.linux(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @EnumSource(
            value = Errno.class,
            names = {"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"})
    void letsAFrontEndInWhenThereAreDescriptorsAgain(Errno errno) {
        AtomicInteger tries = new AtomicInteger();
        Kernel kernel = starved(new AtomicInteger(3), tries, errno);
        try (VhostBackendServer server = serve(kernel, LONG)) {
            for (int i = 0; i < 2; i++) {
                try (RawFrontEnd front = new RawFrontEnd(path())) {
                    front.sync();
                }
            }
            assertThat(server.sessions()).isEqualTo(2);
        }
        assertThat(tries).hasValue(5);
        assertThat(said)
                .singleElement()
                .asString()
                .contains("cannot let a front-end in")
                .contains(errno.name());
    }

    @Test
    void endsAtOnceWithAFrontEndThatDoesNotReadItsReplies() {
        try (VhostBackendServer server = serve(Kernel.linux(), LONG);
                UnixSocket socket = UnixSocket.connect(Kernel.linux(), path())) {
            assertThatThrownBy(() -> {
                        while (true) {
                            socket.send(message(VhostRequest.GET_FEATURES, VhostMessage.HEADER), List.of(), 1000);
                        }
                    })
                    .isInstanceOf(KernelException.class)
                    .hasMessageContaining("ETIMEDOUT");
            assertThat(closes(server)).isTrue();
        }
    }

    @Test
    void endsAtOnceWithAFrontEndThatSendsHalfAMessage() {
        try (VhostBackendServer server = serve(Kernel.linux(), LONG);
                UnixSocket socket = UnixSocket.connect(Kernel.linux(), path())) {
            socket.send(message(VhostRequest.GET_FEATURES, VhostMessage.HEADER - 1), List.of(), 1000);
            assertThat(BoundedWait.until(() -> server.sessions() == 1, VhostUserNicTest.SOON))
                    .isTrue();
            assertThat(closes(server)).isTrue();
        }
    }

    private static boolean closes(VhostBackendServer server) {
        Thread closer = Thread.ofPlatform().daemon().start(server::close);
        return BoundedWait.until(() -> !closer.isAlive(), VhostUserNicTest.SOON);
    }

    /** The beginning of a message, in memory that the garbage collector frees. */
    private static MemorySegment message(VhostRequest request, int bytes) {
        MemorySegment message = Arena.ofAuto().allocate(VhostMessage.HEADER);
        message.set(ValueLayout.JAVA_INT, 0, request.number());
        message.set(ValueLayout.JAVA_INT, 4, VhostMessage.VERSION);
        return message.asSlice(0, bytes);
    }

    @Test
    void waitsForAWholeMessageNoLongerThanForItsBeginning() {
        try (VhostBackendServer server = serve(Kernel.linux(), Duration.ofSeconds(1));
                UnixSocket socket = UnixSocket.connect(Kernel.linux(), path())) {
            MemorySegment message = message(VhostRequest.GET_FEATURES, VhostMessage.HEADER);
            for (int at = 0; at < VhostMessage.HEADER - 1; at++) {
                if ((socket.await(0, 300) & Kernel.POLLHUP) != 0) {
                    break;
                }
                try {
                    socket.send(message.asSlice(at, 1), List.of(), 1000);
                } catch (KernelException e) {
                    assertThat(e.errno()).isEqualTo(Errno.EPIPE);
                }
            }
            assertThat(socket.await(0, 0) & Kernel.POLLHUP).isNotZero();
            assertThat(BoundedWait.until(() -> !said.isEmpty(), VhostUserNicTest.SOON))
                    .isTrue();
            assertThat(server.sessions()).isOne();
        }
        assertThat(said).singleElement().asString().contains("half a message");
    }
}
