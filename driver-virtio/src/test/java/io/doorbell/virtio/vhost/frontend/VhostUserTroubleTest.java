package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.Mapping;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.queue.NicEnd;
import io.doorbell.virtio.queue.PackedRing;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.FailingTransport;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRequest;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A front-end whose back-end lies, or whose transport fails: it gets over that, and closes whatever has happened. */
@Timeout(120)
class VhostUserTroubleTest {

    private static final Duration SOON = VhostUserNicTest.SOON;
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final MacAddress MAC = new MacAddress(0x02_00_00_00_00_01L);
    private static final int FRAMES = 200;
    private static final int RING = 256;

    @TempDir
    private Path dir;

    private final Kernel kernel = Kernel.linux();

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    private Nic backEnd() {
        return Nic.open("vhost-user-backend:" + path());
    }

    /** A front-end that a test can look into. */
    private final class Front implements AutoCloseable {
        final VhostUserTransport transport = new VhostUserTransport(kernel, path(), MAC, LONG);
        final FailingTransport failing = new FailingTransport(transport);
        final VirtioNic inner;
        final VhostUserNic nic;

        Front(String... without) {
            NicConfig config = NicConfig.defaults().withoutFeatures(without);
            inner = VirtioNic.open("front", failing.transport(), config);
            nic = new VhostUserNic(kernel, inner, failing.transport());
        }

        /** Has the back-end say of a receive ring what cannot be, by its own mapping of the memory. */
        void lie() {
            QueueAddresses ring = inner.addresses(0);
            VhostUserDmaSpace.Shared shared = ((VhostUserDmaSpace) transport.dma())
                    .shared().stream()
                            .filter(file -> Long.compareUnsigned(
                                            ring.descriptorArea()
                                                    - file.region().guestAddress(),
                                            file.region().size())
                                    < 0)
                            .findFirst()
                            .orElseThrow();
            try (Mapping theirs = Mapping.shared(kernel, shared.region().size(), 0, shared.fd(), 0)) {
                long start = -shared.region().guestAddress();
                if (inner.negotiation().has(Feature.VIRTIO_F_RING_PACKED)) {
                    long word = PackedRing.USED_AT_FIRST | 0x1234L << PackedRing.ID_SHIFT | 60;
                    theirs.segment().set(ValueLayout.JAVA_LONG, start + ring.descriptorArea() + 8, word);
                } else {
                    theirs.segment().set(ValueLayout.JAVA_SHORT, start + ring.deviceArea() + 2, (short) 9999);
                }
            }
        }

        @Override
        public void close() {
            nic.close();
        }
    }

    private static void exchange(Nic one, Nic two) {
        try (NicEnd here = new NicEnd(one, 0, new NumberedExchange(1, 2, FRAMES, FRAMES, 64));
                NicEnd there = new NicEnd(two, 0, new NumberedExchange(2, 1, FRAMES, FRAMES, 64))) {
            NicEnd.run(here, there);
        }
    }

    private static boolean pollsInVain(Nic nic) {
        try {
            return nic.rxQueue(0).receive(new FrameBatch(1)) == 0;
        } catch (IllegalStateException stoppedYet) {
            return false;
        }
    }

    /** The back-end goes, another comes, and all is well. */
    private void requireThatItComesBack(Front front, Nic gone) {
        gone.close();
        VhostUserNicTest.waitFor(front.nic, false);
        // As soon as the NIC waits for another one, a poll finds nothing, whatever it found before.
        assertThat(BoundedWait.until(() -> pollsInVain(front.nic), SOON)).isTrue();
        try (Nic again = backEnd()) {
            VhostUserNicTest.waitFor(front.nic, true);
            again.awaitLink(SOON);
            exchange(front.nic, again);
            FramePool pool = front.nic.rxQueue(0).pool();
            front.nic.stop();
            assertThat(pool.available()).isEqualTo(pool.buffers());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"VIRTIO_NET_F_MTU", "VIRTIO_F_RING_PACKED", "VIRTIO_F_IN_ORDER"})
    void comesBackAfterABackEndThatBrokeTheRingAndThenWent(String without) {
        Nic back = backEnd();
        try (Front front = new Front(without)) {
            FrameBatch batch = new FrameBatch(4);
            front.lie();
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(batch)).isInstanceOf(BrokenDeviceException.class);
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(batch))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("front receive queue 0 has stopped, since its device broke it (")
                    .hasMessageContaining("use Nic.reset");
            requireThatItComesBack(front, back);
        }
    }

    @Test
    void comesBackAfterALieThatWasNotLookedAtBeforeItWent() {
        Nic back = backEnd();
        try (Front front = new Front()) {
            front.lie();
            requireThatItComesBack(front, back);
        }
    }

    @Test
    void aResetHelpsAgainstALie() {
        try (Nic back = backEnd();
                Front front = new Front()) {
            front.lie();
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(new FrameBatch(1)))
                    .isInstanceOf(BrokenDeviceException.class);
            front.nic.reset();
            back.awaitLink(SOON);
            exchange(front.nic, back);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset", "driverFeatures", "enableQueue", "startQueue"})
    void comesBackAfterAResetThatFailed(String step) {
        Nic back = backEnd();
        try (Front front = new Front()) {
            front.failing.fail(step, new DoorbellException("no " + step));
            assertThatThrownBy(front.nic::reset).hasMessage("no " + step);
            assertThat(front.nic.linkState()).isEqualTo(LinkState.DOWN);
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(new FrameBatch(1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageEndingWith("is stopped");
            front.failing.fail(step, null);
            requireThatItComesBack(front, back);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"disconnect", "connect", "reset", "enableQueue", "awaitHangUp"})
    void theWatcherGoesOnWhateverIsThrownAtIt(String call) {
        Nic back = backEnd();
        try (Front front = new Front()) {
            front.failing.fail(call, new StackOverflowError("on purpose"));
            back.close();
            BoundedWait.until(() -> false, Duration.ofMillis(300));
            front.failing.fail(call, null);
            VhostUserNicTest.waitFor(front.nic, false);
            requireThatItComesBack(front, backEnd());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset", "disconnect", "status"})
    void closesWhateverFails(String call) {
        try (Nic back = backEnd()) {
            Front front = new Front();
            back.awaitLink(SOON);
            front.failing.fail(call, new DoorbellException("no " + call));
            try {
                front.close();
            } catch (DoorbellException e) {
                assertThat(e).hasMessage("no " + call);
            }
            VhostUserNicTest.waitFor(back, false);
            assertThat(((VhostUserDmaSpace) front.transport.dma()).shared()).isEmpty();
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(new FrameBatch(1)))
                    .isInstanceOf(NicClosedException.class);
            front.close();
        }
    }

    /** As that of a device without an IOMMU, whose bus mastering cannot be switched off. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsBuffersFromEverybodyIfTheDeviceCannotBeKeptFromThem(boolean shared) {
        NicConfig config = NicConfig.defaults().withRingSizes(RING, RING);
        try (Nic back = backEnd();
                FramePool own = FramePool.create(4 * RING, 2048)) {
            VhostUserTransport transport = new VhostUserTransport(kernel, path(), MAC, LONG);
            FailingTransport failing = new FailingTransport(transport);
            VirtioNic nic = VirtioNic.open("front", failing.transport(), shared ? config.withPool(own) : config);
            back.awaitLink(SOON);
            FramePool pool = nic.rxQueue(0).pool();
            failing.fail("allowDma", new DoorbellException("no allowDma"));
            failing.fail("close", new DoorbellException("no close"));
            assertThatThrownBy(nic::close).hasMessage("no allowDma");
            assertThat(pool.memory().scope().isAlive()).isTrue();
            assertThat(pool.available()).isEqualTo(pool.buffers() - RING);
            transport.close();
        }
    }

    @Test
    void saysWhatItMayMeanThatNobodyAnswers() {
        try (UnixSocket silent = UnixSocket.listen(kernel, path())) {
            assertThat(silent.fd()).isPositive();
            assertThatThrownBy(() -> new VhostUserTransport(kernel, path(), MAC, Duration.ofSeconds(1)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(
                            "the vhost-user back-end at " + path() + " did not answer GET_FEATURES within 1 s")
                    .hasMessageContaining("another front-end may hold it")
                    .hasMessageContaining("stopped")
                    .hasMessageContaining("'ss -xp'");
        }
    }

    /** Plays a back-end up to the request that {@code last} names, and leaves that unanswered. */
    private VhostConnection play(UnixSocket listener, Predicate<VhostMessage> last) {
        UnixSocket caller = listener.accept((int) SOON.toMillis()).orElseThrow();
        VhostConnection connection = new VhostConnection(kernel, "the front-end", caller);
        while (true) {
            VhostMessage message = connection.receive((int) SOON.toMillis()).orElseThrow();
            connection.closeFiles(message.files());
            if (last.test(message)) {
                return connection;
            }
            ByteBuffer answer = switch (message.request()) {
                case GET_FEATURES ->
                    VhostMessage.number(Feature.VIRTIO_F_VERSION_1.mask() | VhostProtocol.PROTOCOL_FEATURES);
                case GET_PROTOCOL_FEATURES -> VhostMessage.number(VhostProtocol.REPLY_ACK);
                case GET_VRING_BASE -> VhostMessage.state(message.payload().getInt(0), 0);
                default -> VhostMessage.number(0);
            };
            if (message.needsReply() || message.request().isQuestion()) {
                connection.send(message.request(), VhostMessage.REPLY, answer, List.of());
            }
        }
    }

    private static boolean startsTheLastQueue(VhostMessage message) {
        ByteBuffer payload = message.payload();
        return message.request() == VhostRequest.SET_VRING_ENABLE && payload.getInt(0) == 1 && payload.getInt(4) == 1;
    }

    /** It has receive buffers by then, and nothing says that it has let go of them. */
    @Test
    void withholdsBuffersWhenItIsClosedWhileABackEndIsSlowToStart() throws Exception {
        NicConfig config = NicConfig.defaults().withRingSizes(RING, RING);
        CountDownLatch up = new CountDownLatch(1);
        CountDownLatch slow = new CountDownLatch(1);
        try (UnixSocket listener = UnixSocket.listen(kernel, path());
                FramePool pool = FramePool.create(4 * RING, 2048)) {
            Future<VhostConnection> second = Executors.newSingleThreadExecutor(
                            Thread.ofPlatform().daemon().factory())
                    .submit(() -> {
                        try (VhostConnection first = play(listener, VhostUserTroubleTest::startsTheLastQueue)) {
                            first.send(
                                    VhostRequest.SET_VRING_ENABLE,
                                    VhostMessage.REPLY,
                                    VhostMessage.number(0),
                                    List.of());
                            up.await();
                        }
                        VhostConnection connection = play(listener, VhostUserTroubleTest::startsTheLastQueue);
                        slow.countDown();
                        return connection;
                    });
            VhostUserTransport transport = new VhostUserTransport(kernel, path(), MAC, LONG);
            VhostUserNic nic =
                    new VhostUserNic(kernel, VirtioNic.open("front", transport, config.withPool(pool)), transport);
            up.countDown();
            assertThat(slow.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
            nic.close();
            assertThat(pool.available()).isEqualTo(pool.buffers() - RING);
            second.get().close();
        }
    }

    /** Who listens on the socket takes connections and does not answer, as one that serves another front-end does. */
    @Test
    void answersWhileItWaitsForAnAnswerItself() {
        Nic back = backEnd();
        Front front = new Front();
        back.close();
        VhostUserNicTest.waitFor(front.nic, false);
        try (UnixSocket silent = UnixSocket.listen(kernel, path());
                UnixSocket caller = silent.accept((int) SOON.toMillis()).orElseThrow()) {
            assertThat(caller.await(Kernel.POLLIN, (int) SOON.toMillis())).isEqualTo(Kernel.POLLIN);
            // From here on it waits for as long as this test can last, and longer.
            assertThat(front.nic.linkState()).isEqualTo(LinkState.DOWN);
            assertThatThrownBy(() -> front.nic.awaitLink(Duration.ofMillis(500)))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("waited 500 ms");
            assertThat(front.nic.statistics().details()).containsEntry("reconnects", 0L);
            assertThat(CompletableFuture.supplyAsync(
                            () -> front.nic.ability(RegisterDump.class).registers()))
                    .succeedsWithin(SOON)
                    .asInstanceOf(InstanceOfAssertFactories.LIST)
                    .isNotEmpty();
            front.nic.stop();
            assertThatThrownBy(() -> front.nic.rxQueue(0).receive(new FrameBatch(1)))
                    .hasMessageEndingWith("is stopped");
            front.nic.start();
            assertThat(front.nic.rxQueue(0).receive(new FrameBatch(1))).isZero();
            front.close();
            assertThat(caller.await(0, (int) SOON.toMillis()) & Kernel.POLLHUP).isEqualTo(Kernel.POLLHUP);
        }
    }
}
