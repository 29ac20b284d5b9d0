package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A back-end that is closed, stopped and reset while other threads poll it. */
class VhostBackendClosingTest {

    private static final int ROUNDS = 30;

    @TempDir
    private Path dir;

    private String path() {
        return dir.resolve("vhost.sock").toString();
    }

    /** A thread that forwards until it is told that there is nothing more to be done, and by what. */
    private static final class Poller {

        final ConcurrentLinkedQueue<Throwable> ends;
        final Thread thread;
        volatile long polls;

        Poller(Nic nic, ConcurrentLinkedQueue<Throwable> ends) {
            this.ends = ends;
            this.thread = Thread.ofPlatform().daemon().start(() -> run(nic));
        }

        private void run(Nic nic) {
            FrameBatch batch = new FrameBatch(32);
            try {
                while (true) {
                    nic.rxQueue(0).receive(batch);
                    nic.txQueue(0).send(batch);
                    batch.release();
                    polls++;
                }
            } catch (Throwable e) {
                ends.add(e);
            }
        }

        void polls() {
            long before = polls;
            assertThat(BoundedWait.until(() -> polls > before + 100 || !thread.isAlive(), VhostUserNicTest.SOON))
                    .isTrue();
        }

        void ends() throws InterruptedException {
            assertThat(thread.join(VhostUserNicTest.SOON)).isTrue();
        }
    }

    @Test
    void tellsThePollerThatItIsClosedAndReleasesEverything() throws InterruptedException {
        ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
        long files = 0;
        try (FramePool pool = FramePool.create(256, 2048)) {
            for (int round = 0; round < ROUNDS; round++) {
                Nic nic = Nic.open(
                        "vhost-user-backend:" + path(), NicConfig.defaults().withPool(pool));
                Poller poller = new Poller(nic, ends);
                try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                    front.sendFrame(1);
                    poller.polls();
                    List<Thread> closers = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        closers.add(Thread.ofPlatform()
                                .daemon()
                                .uncaughtExceptionHandler((_, e) -> ends.add(e))
                                .start(nic::close));
                    }
                    for (Thread closer : closers) {
                        assertThat(closer.join(VhostUserNicTest.SOON)).isTrue();
                        assertThat(Files.exists(Path.of(path()))).isFalse();
                    }
                }
                poller.ends();
                assertThat(pool.available()).isEqualTo(256);
                if (round == 0) {
                    files = VhostBackendTest.openFiles();
                }
            }
        }
        assertThat(VhostBackendTest.openFiles()).isLessThanOrEqualTo(files);
        assertThat(ends).hasSize(ROUNDS).allSatisfy(e -> assertThat(e).isInstanceOf(NicClosedException.class));
    }

    @Test
    void answersNothingAnyMoreOnceItIsClosed() {
        Nic nic = Nic.open("vhost-user-backend:" + path(), NicConfig.defaults());
        nic.close();
        nic.close();
        nic.stop();
        FrameBatch batch = new FrameBatch(1);
        List<Runnable> calls = List.of(
                nic::linkState,
                nic::statistics,
                () -> nic.ability(RegisterDump.class).registers(),
                nic::start,
                nic::reset,
                () -> nic.awaitLink(VhostUserNicTest.SOON),
                () -> nic.promiscuous(true),
                () -> nic.rxQueue(0).receive(batch),
                () -> nic.txQueue(0).send(batch));
        assertThat(calls).allSatisfy(call -> assertThatThrownBy(call::run).isInstanceOf(NicClosedException.class));
    }

    @Test
    void tellsThePollerThatItIsStopped() throws InterruptedException {
        ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
        try (Nic nic = Nic.open("vhost-user-backend:" + path(), NicConfig.defaults())) {
            Poller poller = new Poller(nic, ends);
            try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                front.sendFrame(1);
                poller.polls();
                nic.stop();
                poller.ends();
            }
            nic.start();
            try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                front.sendFrame(2);
                assertThat(BoundedWait.until(
                                () -> nic.rxQueue(0).receive(new FrameBatch(1)) == 1, VhostUserNicTest.SOON))
                        .isTrue();
            }
        }
        assertThat(ends)
                .singleElement()
                .satisfies(e -> assertThat(e)
                        .isExactlyInstanceOf(IllegalStateException.class)
                        .hasMessageEndingWith("is stopped"));
    }

    /** The poller complains of what it met, to the thread that is waiting for its poll to end. */
    @Test
    void endsWhileAPollerComplainsOfItsFrontEnd() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
            Nic nic = Nic.open("vhost-user-backend:" + path(), NicConfig.defaults());
            Poller poller = new Poller(nic, ends);
            try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                poller.polls();
                front.makeAvailable(RawFrontEnd.TRANSMIT, 0xffff);
                Thread closer = Thread.ofPlatform().daemon().start(nic::close);
                assertThat(closer.join(VhostUserNicTest.SOON)).isTrue();
            }
            poller.ends();
            assertThat(ends).hasSize(1);
        }
    }

    /** Front-ends that connect again at once, while the NIC is started and stopped. */
    @Test
    void startsWhileFrontEndsConnect() throws InterruptedException {
        ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
        try (Nic nic = Nic.open("vhost-user-backend:" + path(), NicConfig.defaults())) {
            Thread visitor = Thread.ofPlatform().daemon().start(() -> {
                while (!Thread.currentThread().isInterrupted()) {
                    try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                        front.sync();
                    } catch (RuntimeException e) {
                        // it was disconnected, or nobody listens
                    }
                }
            });
            for (int i = 0; i < 200; i++) {
                nic.reset();
            }
            visitor.interrupt();
            assertThat(visitor.join(VhostUserNicTest.SOON.multipliedBy(2))).isTrue();
            assertThat(ends).isEmpty();
            try (RawFrontEnd front = new RawFrontEnd(path()).start()) {
                assertThat(nic.awaitLink(VhostUserNicTest.SOON).up()).isTrue();
                front.sync();
            }
        }
    }
}
