package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Announcements;
import io.doorbell.frame.ability.FeatureReport;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.OffloadControl;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.net.VirtioNic;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A NIC is stopped, reset and closed by one thread while others poll it and ask it, as by a hook when the JVM ends. */
class ClosingTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final NicConfig CONFIG = NicConfig.defaults().withRingSizes(64, 64);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int ROUNDS = 30;

    @TempDir
    private Path dir;

    private final Random random = new Random(1);

    /** A thread that does the same again and again, until it hears that the NIC is closed or something else happens. */
    private static final class Loop {
        private final CountDownLatch running = new CountDownLatch(1);
        private final Thread thread;
        private volatile int stopped;
        private volatile Throwable end;

        Loop(String name, Runnable turn) {
            thread = Thread.ofPlatform().name(name).daemon().start(() -> {
                try {
                    while (true) {
                        try {
                            turn.run();
                        } catch (NicClosedException closed) {
                            throw closed;
                        } catch (IllegalStateException e) {
                            assertThat(e).hasMessageEndingWith(" is stopped");
                            stopped++;
                        }
                        running.countDown();
                    }
                } catch (Throwable e) {
                    end = e;
                } finally {
                    running.countDown();
                }
            });
        }

        void requireClosed() throws InterruptedException {
            assertThat(thread.join(PATIENCE)).as("%s has ended", thread).isTrue();
            assertThat(end).as("how %s ended", thread).isInstanceOf(NicClosedException.class);
        }

        void requireStopped() {
            int before = stopped;
            assertThat(BoundedWait.until(() -> stopped > before || end != null, PATIENCE))
                    .isTrue();
            assertThat(end).as("how %s ended", thread).isNull();
        }
    }

    private static Loop receiver(Nic nic) {
        FrameBatch batch = new FrameBatch(16);
        return new Loop("receiver", () -> {
            nic.rxQueue(0).receive(batch);
            for (int i = 0; i < batch.size(); i++) {
                batch.frame(i).swapMacs();
            }
            batch.release();
        });
    }

    private static Loop sender(Nic nic) {
        FrameBatch batch = new FrameBatch(4);
        FramePool pool = nic.rxQueue(0).pool();
        return new Loop("sender", () -> {
            pool.allocate(batch, 4);
            try {
                fill(batch);
                nic.txQueue(0).send(batch);
            } finally {
                batch.release();
            }
            nic.txQueue(0).reclaim();
        });
    }

    private static void fill(FrameBatch batch) {
        try {
            for (int i = 0; i < batch.size(); i++) {
                Frame frame = batch.frame(i);
                frame.length(60);
                frame.setMac(0, MacAddress.BROADCAST);
                frame.setMac(6, MAC);
            }
        } catch (IllegalStateException e) {
            // The memory of the NIC's own pool goes with the NIC.
            throw new NicClosedException(e.getMessage());
        }
    }

    private static List<Loop> pollersOf(Nic nic) throws InterruptedException {
        return running(List.of(receiver(nic), sender(nic)));
    }

    private static List<Loop> observersOf(Nic nic) throws InterruptedException {
        return running(List.of(
                new Loop("statistics", nic::statistics),
                new Loop("link", nic::linkState),
                new Loop("registers", () -> nic.ability(RegisterDump.class).registers())));
    }

    private static List<Loop> running(List<Loop> loops) throws InterruptedException {
        for (Loop loop : loops) {
            loop.running.await();
        }
        return loops;
    }

    private static void closeTwiceAtATime(Nic nic) throws InterruptedException {
        Throwable[] failure = new Throwable[1];
        Thread other = Thread.ofPlatform().daemon().start(() -> {
            try {
                nic.close();
            } catch (Throwable e) {
                failure[0] = e;
            }
        });
        nic.close();
        assertThat(other.join(PATIENCE)).isTrue();
        assertThat(failure[0]).isNull();
        nic.close();
    }

    private static void requireClosed(Nic nic) {
        FrameBatch batch = new FrameBatch(1);
        String name = nic.name();
        assertThatThrownBy(() -> nic.rxQueue(0).receive(batch))
                .isInstanceOf(NicClosedException.class)
                .hasMessage(name + " receive queue 0 is closed");
        assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                .isInstanceOf(NicClosedException.class)
                .hasMessage(name + " transmit queue 0 is closed");
        assertThatThrownBy(() -> nic.txQueue(0).reclaim()).isInstanceOf(NicClosedException.class);
        List<Runnable> others = new ArrayList<>(List.of(
                nic::linkState,
                nic::statistics,
                nic::start,
                nic::reset,
                () -> nic.promiscuous(true),
                () -> nic.awaitLink(Duration.ofSeconds(1))));
        nic.find(RegisterDump.class).ifPresent(it -> others.add(it::registers));
        nic.find(FeatureReport.class).ifPresent(it -> others.add(it::features));
        nic.find(RssControl.class).ifPresent(it -> others.add(it::rss));
        nic.find(Announcements.class).ifPresent(it -> others.add(it::takeRequest));
        nic.find(QueueReset.class)
                .ifPresent(it -> others.addAll(List.of(() -> it.resetRxQueue(0), () -> it.resetTxQueue(0))));
        nic.find(MacFilter.class)
                .ifPresent(it -> others.addAll(List.of(
                        () -> it.allMulticast(true),
                        () -> it.allUnicast(true),
                        () -> it.macAddress(MAC),
                        () -> it.addresses(List.of()))));
        nic.find(OffloadControl.class).ifPresent(it -> others.add(() -> it.receiveOffloads(0)));
        for (Runnable call : others) {
            assertThatThrownBy(call::run).isInstanceOf(NicClosedException.class).hasMessage(name + " is closed");
        }
        nic.stop();
        nic.close();
        assertThat(nic.macAddress().isUnicast()).isTrue();
    }

    /** What is open: sockets, events, and memory, which is mapped as long as its file is open here. */
    private static List<String> descriptors() {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            List<String> targets = new ArrayList<>();
            for (Path file : files.toList()) {
                try {
                    targets.add(Files.readSymbolicLink(file).toString().replaceAll("[0-9]+", "N"));
                } catch (NoSuchFileException closedMeanwhile) {
                    continue;
                }
            }
            return targets.stream()
                    .filter(target -> target.matches("(socket|anon_inode|/memfd).*"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /**
     * Fails if more is open than before. A thread that came too late to see a file closed may have it open for a moment
     * more, and what other tests of this JVM left behind may go meanwhile.
     */
    private static void requireNoMoreOpen(List<String> before) {
        BoundedWait.until(() -> openedSince(before).isEmpty(), PATIENCE);
        assertThat(openedSince(before)).as("open now and not before").isEmpty();
    }

    private static List<String> openedSince(List<String> before) {
        List<String> since = new ArrayList<>(descriptors());
        before.forEach(since::remove);
        return since;
    }

    /** Sends frames to the NIC and takes those that it sends, until the machine is closed. */
    private static void keepBusy(FramePeer peer) {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[6] = 2;
        new Loop("to the NIC", () -> {
            peer.send(frame);
            LockSupport.parkNanos(100_000);
        });
        new Loop("from the NIC", () -> peer.poll(Duration.ofMillis(100)));
    }

    /**
     * With a cable that always takes a frame: QEMU asserts, when a queue is reset, that no frame waits for it. It drops the
     * one that does, but the queue that it was in goes on then, and the next frame waits likewise.
     */
    private static QtestMachine machine(String... properties) {
        List<String> all = new ArrayList<>(List.of("disable-legacy=on", "mac=" + MAC));
        all.addAll(List.of(properties));
        QtestMachine machine = QtestMachine.builder()
                .nic("virtio-net-pci", all.toArray(String[]::new))
                .lossy()
                .start();
        keepBusy(machine.peer(0));
        return machine;
    }

    private static Nic open(QtestMachine machine) {
        return VirtioNic.open("0000:00:04.0", new ModernPciTransport(machine.open(0)), CONFIG);
    }

    private static void closeUnderPollers(Nic nic, int round, Random random) throws InterruptedException {
        List<Loop> loops = new ArrayList<>(pollersOf(nic));
        if (round % 4 == 0) {
            loops.addAll(observersOf(nic));
        }
        Thread.sleep(random.nextInt(5));
        closeTwiceAtATime(nic);
        for (Loop loop : loops) {
            loop.requireClosed();
        }
        requireClosed(nic);
    }

    private static void stopStartAndResetUnderPollers(Nic nic) throws InterruptedException {
        List<Loop> loops = pollersOf(nic);
        for (int round = 0; round < 10; round++) {
            nic.reset();
        }
        assertThat(loops).as("a reset is a pause").allMatch(loop -> loop.stopped == 0 && loop.end == null);
        for (int round = 0; round < 5; round++) {
            nic.stop();
            loops.forEach(Loop::requireStopped);
            nic.start();
        }
        if (nic.ability(FeatureReport.class).features().stream()
                .anyMatch(feature -> feature.name().equals("VIRTIO_F_RING_RESET") && feature.negotiated())) {
            for (int round = 0; round < 5; round++) {
                nic.ability(QueueReset.class).resetRxQueue(0);
                nic.ability(QueueReset.class).resetTxQueue(0);
            }
        }
        closeTwiceAtATime(nic);
        for (Loop loop : loops) {
            loop.requireClosed();
        }
    }

    @ParameterizedTest
    @Tag("qtest")
    @ValueSource(strings = {"packed=off", "packed=on"})
    void isClosedUnderThreadsThatPollQemusDevice(String layout) throws Exception {
        try (QtestMachine machine = machine(layout)) {
            open(machine).close();
            List<String> before = descriptors();
            for (int round = 0; round < ROUNDS; round++) {
                closeUnderPollers(open(machine), round, random);
            }
            requireNoMoreOpen(before);
        }
    }

    @ParameterizedTest
    @Tag("qtest")
    @ValueSource(strings = {"packed=off", "packed=on"})
    void isStoppedStartedAndResetUnderThreadsThatPollQemusDevice(String layout) throws Exception {
        try (QtestMachine machine = machine(layout);
                Nic nic = open(machine)) {
            stopStartAndResetUnderPollers(nic);
        }
    }

    private String socket() {
        return dir.resolve("vhost.sock").toString();
    }

    /** Sends back what it receives, until the back-end is closed. */
    private static Loop reflector(Nic back) {
        FrameBatch batch = new FrameBatch(16);
        return new Loop("reflector", () -> {
            back.rxQueue(0).receive(batch);
            back.txQueue(0).send(batch);
            batch.release();
        });
    }

    private Nic front(String without) {
        NicConfig config = without.isEmpty() ? CONFIG : CONFIG.withoutFeatures(without.split(" "));
        return Nic.open("vhost-user:" + socket(), config);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "VIRTIO_F_RING_PACKED", "VIRTIO_F_RING_PACKED VIRTIO_F_IN_ORDER"})
    void isClosedUnderThreadsThatPollABackEndsRings(String without) throws Exception {
        try (Nic back = Nic.open("vhost-user-backend:" + socket())) {
            reflector(back);
            front(without).close();
            VhostUserNicTest.waitFor(back, false);
            List<String> before = descriptors();
            for (int round = 0; round < ROUNDS; round++) {
                closeUnderPollers(front(without), round, random);
            }
            requireNoMoreOpen(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "VIRTIO_F_RING_PACKED"})
    void isStoppedStartedAndResetUnderThreadsThatPollABackEndsRings(String without) throws Exception {
        try (Nic back = Nic.open("vhost-user-backend:" + socket());
                Nic front = front(without)) {
            reflector(back);
            stopStartAndResetUnderPollers(front);
        }
    }

    @Test
    void isClosedWhileItsBackEndComesAndGoes() throws Exception {
        List<String> before = List.of();
        for (int round = 0; round < ROUNDS; round++) {
            Nic back = Nic.open("vhost-user-backend:" + socket());
            Nic front = front("");
            List<Loop> loops = new ArrayList<>(pollersOf(front));
            Thread coming = Thread.ofPlatform().daemon().start(() -> {
                back.close();
                Nic.open("vhost-user-backend:" + socket()).close();
            });
            Thread.sleep(random.nextInt(20));
            closeTwiceAtATime(front);
            for (Loop loop : loops) {
                loop.requireClosed();
            }
            coming.join();
            if (round == 0) {
                before = descriptors();
            }
        }
        requireNoMoreOpen(before);
    }
}
