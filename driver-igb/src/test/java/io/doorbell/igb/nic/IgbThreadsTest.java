package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.warmup.SimulatedNic;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.warmup.SimulatedIgb;
import io.doorbell.qemu.link.FramePeer;
import io.doorbell.qemu.qtest.QtestMachine;
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

/** A NIC is stopped, reset and closed by one thread while others poll it and ask it, as by a hook when the JVM ends. */
class IgbThreadsTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final NicConfig CONFIG = NicConfig.defaults().withRingSizes(64, 64);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int ROUNDS = 40;
    /** Each takes half a second: nobody sends what is in the ring when it is closed. */
    private static final int SIMULATED_ROUNDS = 15;

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
                            assertThat(e).hasMessageContaining("is stopped");
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
            for (int i = 0; i < batch.size(); i++) {
                Frame frame = batch.frame(i);
                frame.length(60);
                frame.setMac(0, MacAddress.BROADCAST);
                frame.setMac(6, MAC);
            }
            try {
                nic.txQueue(0).send(batch);
            } finally {
                batch.release();
            }
            nic.txQueue(0).reclaim();
        });
    }

    private static List<Loop> pollersOf(Nic nic) throws InterruptedException {
        List<Loop> loops = List.of(receiver(nic), sender(nic));
        for (Loop loop : loops) {
            loop.running.await();
        }
        return loops;
    }

    private static List<Loop> observersOf(Nic nic) throws InterruptedException {
        List<Loop> loops = List.of(
                new Loop("statistics", nic::statistics),
                new Loop("link", nic::linkState),
                new Loop("registers", () -> nic.ability(RegisterDump.class).registers()));
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
        assertThatThrownBy(() -> nic.txQueue(0).send(batch)).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> nic.txQueue(0).reclaim()).isInstanceOf(NicClosedException.class);
        assertThatThrownBy(() -> nic.rxQueue(0).pool().allocate(batch, 1))
                .isInstanceOf(NicClosedException.class)
                .hasMessage("the pool of " + name + " is closed");
        List<Runnable> others = List.of(
                nic::linkState,
                nic::statistics,
                () -> nic.ability(RegisterDump.class).registers(),
                nic::start,
                nic::reset,
                () -> nic.promiscuous(true),
                () -> nic.awaitLink(Duration.ofSeconds(1)));
        for (Runnable call : others) {
            assertThatThrownBy(call::run).isInstanceOf(NicClosedException.class).hasMessage(name + " is closed");
        }
        nic.stop();
        assertThat(nic.macAddress().isUnicast()).isTrue();
    }

    private static List<String> descriptors() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            List<String> targets = new ArrayList<>();
            for (Path file : files.toList()) {
                try {
                    targets.add(Files.readSymbolicLink(file).toString());
                } catch (NoSuchFileException closedMeanwhile) {
                    continue;
                }
            }
            return targets.stream().filter(target -> target.contains("memfd:")).toList();
        }
    }

    /** Sends frames to the NIC and takes those that it sends, until the machine is closed. */
    private static void keepBusy(FramePeer peer) {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[6] = 2;
        Loop[] wire = {
            new Loop("to the NIC", () -> {
                peer.send(frame);
                LockSupport.parkNanos(100_000);
            }),
            new Loop("from the NIC", () -> peer.poll(Duration.ofMillis(100)))
        };
        assertThat(wire).allMatch(loop -> loop.end == null);
    }

    /** The device is QEMU's, and busy in both directions. */
    @Test
    @Tag("qtest")
    void isClosedUnderThreadsThatPollQemusDevice() throws Exception {
        try (QtestMachine machine =
                QtestMachine.builder().nic("igb", "mac=" + MAC).virtualTime().start()) {
            keepBusy(machine.peer(0));
            for (int round = 0; round < ROUNDS; round++) {
                Nic nic = IgbNic.open("qemu", machine.open(0), IgbModel.I82576, CONFIG);
                nic.awaitLink(PATIENCE);
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
        }
    }

    @Test
    @Tag("qtest")
    void isStoppedStartedAndResetUnderThreadsThatPoll() throws Exception {
        try (QtestMachine machine = QtestMachine.builder()
                        .nic("igb", "mac=" + MAC)
                        .virtualTime()
                        .start();
                Nic nic = IgbNic.open("qemu", machine.open(0), IgbModel.I82576, CONFIG)) {
            keepBusy(machine.peer(0));
            nic.awaitLink(PATIENCE);
            List<Loop> loops = pollersOf(nic);
            for (int round = 0; round < 10; round++) {
                nic.reset();
            }
            assertThat(loops).as("a reset is a pause").allMatch(loop -> loop.stopped == 0);
            for (int round = 0; round < 5; round++) {
                nic.stop();
                for (Loop loop : loops) {
                    int before = loop.stopped;
                    assertThat(BoundedWait.until(() -> loop.stopped > before, PATIENCE))
                            .as("%s hears of it; %s", loop.thread, loop.end)
                            .isTrue();
                }
                nic.start();
            }
            closeTwiceAtATime(nic);
            for (Loop loop : loops) {
                loop.requireClosed();
            }
        }
    }

    /** Registers and memory are mapped, and are unmapped with the NIC. */
    @Test
    void releasesAllThatItHadMapped() throws Exception {
        SimulatedIgb.open(CONFIG).close();
        List<String> before = descriptors();
        for (int round = 0; round < SIMULATED_ROUNDS; round++) {
            SimulatedNic simulated = SimulatedIgb.open(CONFIG);
            Nic nic = simulated.nic();
            List<Loop> loops = new ArrayList<>(pollersOf(nic));
            loops.addAll(observersOf(nic));
            closeTwiceAtATime(nic);
            for (Loop loop : loops) {
                loop.requireClosed();
            }
            requireClosed(nic);
        }
        assertThat(descriptors()).isEqualTo(before);
    }
}
