package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.Announcements;
import io.doorbell.frame.ability.CounterReport;
import io.doorbell.frame.ability.EnergyEfficiency;
import io.doorbell.frame.ability.FeatureReport;
import io.doorbell.frame.ability.FlowControl;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.ability.InterruptModeration;
import io.doorbell.frame.ability.LinkControl;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.frame.ability.Loopback;
import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.OffloadControl;
import io.doorbell.frame.ability.Pause;
import io.doorbell.frame.ability.PortLed;
import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.ability.SelfTest;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.frame.event.EventRecording;
import io.doorbell.frame.flow.FlowRule;
import io.doorbell.frame.flow.SynMatch;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.waiting.QueueWaiter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import jdk.jfr.consumer.RecordedEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every NIC does alike, as {@link Nic}, its queues and its abilities say. The tests of a driver have a subclass for
 * each kind of NIC, which opens one and is the other end of its link. Where a kind differs by design, the subclass says so
 * by a method of its own, with the reason.
 */
public abstract class NicContractTest {

    /** For what takes a moment only, on a machine that may be busy. */
    protected static final Duration SOON = Duration.ofSeconds(30);

    protected static final Duration SHORT = Duration.ofMillis(50);

    /** Frames that take more than a third of any ring's buffers, and fit. */
    private static final int MANY = 200;

    /** {@code -Ddoorbell.sleeps=1000000} for a million, which take some minutes. */
    private static final int SLEEPS = Integer.getInteger("doorbell.sleeps", 500);

    private static final MacAddress PEER = MacAddress.parse("52:54:00:65:43:21");
    private static final MacAddress OTHER = MacAddress.parse("52:54:00:00:00:99");

    /** All that there are. */
    private static final Set<Class<? extends Ability>> ABILITIES = Set.of(
            Announcements.class,
            CounterReport.class,
            EnergyEfficiency.class,
            FeatureReport.class,
            FlowControl.class,
            InterruptModeration.class,
            LinkControl.class,
            FlowRules.class,
            Loopback.class,
            MacFilter.class,
            Nvm.class,
            OffloadControl.class,
            PortLed.class,
            PtpClock.class,
            QueueInterrupts.class,
            QueueReset.class,
            RegisterDump.class,
            RssControl.class,
            SelfTest.class);

    /** Something to call each method of an ability with. */
    private static final Map<Class<?>, Object> ARGUMENTS = Map.ofEntries(
            Map.entry(boolean.class, true),
            Map.entry(int.class, 0),
            Map.entry(long.class, 0L),
            Map.entry(double.class, 0.0),
            Map.entry(StampFilter.class, StampFilter.NONE),
            Map.entry(MacAddress.class, OTHER),
            Map.entry(Duration.class, Duration.ZERO),
            Map.entry(Collection.class, List.of(OTHER)),
            Map.entry(Set.class, Set.of()),
            Map.entry(Rss.class, Rss.over(1)),
            Map.entry(LinkSettings.class, LinkSettings.automatic()),
            Map.entry(Pause.class, Pause.BOTH),
            Map.entry(FlowRule.class, new FlowRule(new SynMatch(), 0)),
            Map.entry(LoopbackPoint.class, LoopbackPoint.MAC));

    private enum Change {
        STOP_AND_START {
            @Override
            void make(Nic nic) {
                nic.stop();
                nic.start();
            }
        },
        RESET {
            @Override
            void make(Nic nic) {
                nic.reset();
            }
        },
        RESET_OF_A_STOPPED_NIC {
            @Override
            void make(Nic nic) {
                nic.stop();
                nic.reset();
            }
        };

        abstract void make(Nic nic);
    }

    @TempDir
    private Path dir;

    private final List<Nic> opened = new ArrayList<>();
    private int frames;

    // ---- What a subclass supplies

    /** What the NIC is opened as. */
    protected abstract String name();

    /** Opens the NIC that is tested; one at a time is open. The test closes it. */
    protected abstract Nic openNic(NicConfig config);

    /** The other end of the link of the NIC that was opened last. */
    protected abstract LinkPeer peer();

    /** Releases the other end, and what else there is beside the NIC, which is closed. */
    protected abstract void closePeer();

    /** A pool of the application's own, in memory that the device can reach. */
    protected FramePool applicationPool(int buffers, int bufferSize) {
        return FramePool.create(buffers, bufferSize);
    }

    /** Whether a thread that has been interrupted gets through to the device. */
    protected boolean bearsInterrupts() {
        return true;
    }

    /** Whether the device can keep frames for others away; else the NIC is promiscuous always, and says so. */
    protected boolean filters() {
        return true;
    }

    /** Whether frames of any pool can be sent; else of those only that the device reaches. */
    protected boolean sendsFromAnyPool() {
        return false;
    }

    /** Whether the transmit ring gets full when the other end takes nothing off the link. */
    protected boolean fillsUp() {
        return true;
    }

    /** Bytes of the longest frame that the other end of the link can be sent. */
    protected int longestThroughPeer() {
        return 9000;
    }

    /** Bytes that the device counts of a frame beyond those that the application sees. */
    protected int countedBytesBeyondFrame() {
        return 0;
    }

    // ---- Helpers

    @AfterEach
    final void closeAll() {
        try {
            opened.forEach(Nic::close);
        } finally {
            closePeer();
        }
    }

    private Nic open(NicConfig config) {
        Nic nic = openNic(config);
        opened.add(nic);
        return nic;
    }

    private Nic open() {
        return open(NicConfig.defaults());
    }

    private Nic openWithLink() {
        Nic nic = open();
        peer();
        nic.awaitLink(SOON);
        return nic;
    }

    private byte[] frame(MacAddress to, int length) {
        byte[] bytes = new byte[length];
        new Random(++frames).nextBytes(bytes);
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) to.octet(i);
            bytes[6 + i] = (byte) PEER.octet(i);
        }
        bytes[12] = (byte) 0x88; // for experiments (IEEE 802, 9.2.3)
        bytes[13] = (byte) 0xb5;
        return bytes;
    }

    private static void add(FrameBatch batch, FramePool pool, byte[] bytes) {
        assertThat(pool.allocate(batch, 1)).isEqualTo(1);
        batch.frame(batch.size() - 1).copyFrom(bytes);
    }

    private static void receive(Nic nic, FrameBatch batch, int count) {
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(batch);
                            return batch.size() >= count;
                        },
                        SOON))
                .as("%d frames arrive, not %d", count, batch.size())
                .isTrue();
    }

    private static void send(Nic nic, FrameBatch batch) {
        assertThat(BoundedWait.until(
                        () -> {
                            nic.txQueue(0).send(batch);
                            return batch.isEmpty();
                        },
                        SOON))
                .as("the frames are taken")
                .isTrue();
    }

    private void receives(Nic nic, byte[] bytes) {
        peer().send(bytes);
        FrameBatch batch = new FrameBatch(8);
        receive(nic, batch, 1);
        assertThat(batch.frame(0).toByteArray()).isEqualTo(bytes);
        assertThat(batch.size()).isEqualTo(1);
        batch.release();
    }

    private void sends(Nic nic, byte[] bytes) {
        FrameBatch batch = new FrameBatch(1);
        add(batch, nic.pool(), bytes);
        send(nic, batch);
        assertThat(peer().receive(SOON))
                .hasValueSatisfying(seen -> assertThat(seen).isEqualTo(bytes));
    }

    /** Frames pass both ways. */
    private void works(Nic nic) {
        nic.awaitLink(SOON);
        for (int i = 0; i < 3; i++) {
            receives(nic, frame(nic.macAddress(), 60 + i));
            sends(nic, frame(PEER, 60 + i));
        }
    }

    private static void allBuffersAreBack(FramePool pool) {
        assertThat(pool.available()).as("buffers of " + pool + " that are free").isEqualTo(pool.buffers());
    }

    private void saysThatItIsClosed(Callable<?> call) {
        assertThatThrownBy(call::call)
                .isInstanceOf(NicClosedException.class)
                .hasMessageContaining(name())
                .hasMessageEndingWith("is closed");
    }

    private void saysThatItIsStopped(Callable<?> call) {
        assertThatThrownBy(call::call)
                .isInstanceOf(IllegalStateException.class)
                .isNotInstanceOf(NicClosedException.class)
                .hasMessageContaining(name())
                .hasMessageContaining("stopped");
    }

    private static Callable<Void> action(Runnable runnable) {
        return () -> {
            runnable.run();
            return null;
        };
    }

    private static <T> FutureTask<T> inAnotherThread(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static <T> T result(Future<T> task) throws Exception {
        try {
            return task.get(SOON.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("the other thread failed: " + e.getCause(), e.getCause());
        }
    }

    /** Polls and holds frames as an application does, until it cannot any more. */
    private static final class Loop implements Callable<Throwable> {
        private final Nic nic;
        private final AtomicLong rounds = new AtomicLong();
        private volatile boolean enough;

        Loop(Nic nic) {
            this.nic = nic;
        }

        /** Returns what ended it. */
        @Override
        public Throwable call() {
            FrameBatch in = new FrameBatch(8);
            FrameBatch out = new FrameBatch(8);
            try {
                while (!enough) {
                    poll(in, out);
                    rounds.incrementAndGet();
                }
                return null;
            } catch (RuntimeException e) {
                return e;
            } finally {
                in.release();
                out.release();
            }
        }

        private void poll(FrameBatch in, FrameBatch out) {
            try {
                nic.rxQueue(0).receive(in);
                nic.pool().allocate(out, out.remaining());
                for (int i = 0; i < out.size(); i++) {
                    out.frame(i).length(60);
                    out.frame(i).setMac(0, PEER);
                }
                nic.txQueue(0).send(out);
                nic.txQueue(0).reclaim();
                in.release();
            } catch (NicClosedException e) {
                throw e;
            } catch (IllegalStateException stopped) {
                assertThat(stopped).hasMessageContaining("stopped");
                Thread.onSpinWait();
            }
        }

        void goesOn() {
            long before = rounds.get();
            assertThat(BoundedWait.until(() -> rounds.get() > before + 100, SOON))
                    .as("the loop goes on")
                    .isTrue();
        }
    }

    /** Takes what the NIC sends off the link, as long as {@code task} goes on, so that no ring stays full. */
    private void drainUntilDone(Future<?> task) {
        while (!task.isDone()) {
            peer().receive(Duration.ofMillis(10));
        }
    }

    // ---- What it says of itself

    @Test
    void saysWhatItIsEvenOnceItIsClosed() {
        Nic nic = open();
        RxQueue rx = nic.rxQueue(0);
        TxQueue tx = nic.txQueue(0);
        FramePool pool = nic.pool();
        MacAddress address = nic.macAddress();
        String model = nic.model();
        assertThat(address.isUnicast()).isTrue();
        assertThat(model).isNotBlank();
        for (Runnable next : List.<Runnable>of(() -> {}, nic::stop, nic::reset, nic::close)) {
            next.run();
            assertThat(nic.name()).isEqualTo(name());
            assertThat(nic.model()).isEqualTo(model);
            assertThat(nic.macAddress()).isEqualTo(address);
            assertThat(nic.queues()).isEqualTo(1);
            assertThat(nic.rxQueue(0)).isSameAs(rx);
            assertThat(nic.txQueue(0)).isSameAs(tx);
            assertThat(nic.pool()).isSameAs(pool).isSameAs(rx.pool());
            assertThat(nic.toString()).contains(name());
        }
    }

    @Test
    void seesTheLinkGoDownAndComeUp() {
        Nic nic = openWithLink();
        assertThat(nic.linkState().up()).isTrue();
        peer().link(false);
        assertThat(BoundedWait.until(() -> !nic.linkState().up(), SOON)).isTrue();
        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThatThrownBy(() -> nic.awaitLink(SHORT))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("waited " + SHORT.toMillis() + " ms")
                .hasMessageContaining(name());
        peer().link(true);
        assertThat(nic.awaitLink(SOON).up()).isTrue();
        works(nic);
    }

    @Test
    void looksAtTheLinkOnceWhereNoTimeIsGiven() {
        Nic nic = openWithLink();
        for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThat(nic.awaitLink(none).up()).isTrue();
        }
        peer().link(false);
        assertThat(BoundedWait.until(() -> !nic.linkState().up(), SOON)).isTrue();
        for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThatThrownBy(() -> nic.awaitLink(none))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(name());
        }
        assertThatThrownBy(() -> nic.awaitLink(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void waitsForTheLinkAsLongAsItTakes() throws Exception {
        Nic nic = openWithLink();
        peer().link(false);
        assertThat(BoundedWait.until(() -> !nic.linkState().up(), SOON)).isTrue();
        FutureTask<LinkState> wait = inAnotherThread(() -> nic.awaitLink(Duration.ofSeconds(Long.MAX_VALUE)));
        Thread.sleep(SHORT);
        assertThat(wait.isDone()).isFalse();
        peer().link(true);
        assertThat(result(wait).up()).isTrue();
    }

    // ---- Frames

    @ParameterizedTest
    @ValueSource(ints = {60, 61, 127, 128, 1000, 1514})
    void movesFramesAsTheyAre(int length) {
        Nic nic = openWithLink();
        receives(nic, frame(nic.macAddress(), length));
        sends(nic, frame(PEER, length));
    }

    @Test
    void keepsFramesInOrder() {
        Nic nic = openWithLink();
        FrameBatch batch = new FrameBatch(32);
        List<byte[]> sent = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            sent.add(frame(nic.macAddress(), 60 + i));
        }
        for (int from = 0; from < sent.size(); from += 20) {
            sent.subList(from, from + 20).forEach(peer()::send);
            receive(nic, batch, 20);
            for (int i = 0; i < 20; i++) {
                assertThat(batch.frame(i).toByteArray()).isEqualTo(sent.get(from + i));
            }
            send(nic, batch);
            for (int i = 0; i < 20; i++) {
                assertThat(peer().receive(SOON).orElseThrow()).isEqualTo(sent.get(from + i));
            }
        }
    }

    @Test
    void countsWhatItMoves() {
        Nic nic = openWithLink();
        NicStatistics before = nic.statistics();
        int bytes = 0;
        for (int length = 60; length < 80; length++) {
            receives(nic, frame(nic.macAddress(), length));
            sends(nic, frame(PEER, length));
            bytes += length + countedBytesBeyondFrame();
        }
        NicStatistics after = nic.statistics();
        assertThat(after.rxFrames() - before.rxFrames()).isEqualTo(20);
        assertThat(after.txFrames() - before.txFrames()).isEqualTo(20);
        assertThat(after.rxBytes() - before.rxBytes()).isEqualTo(bytes);
        assertThat(after.txBytes() - before.txBytes()).isEqualTo(bytes);
        assertThat(after.rxMissed() + after.rxErrors() + after.txErrors())
                .isEqualTo(before.rxMissed() + before.rxErrors() + before.txErrors());
    }

    @Test
    void neverCountsBackwards() {
        Nic nic = openWithLink();
        NicStatistics last = nic.statistics();
        for (Runnable next : List.<Runnable>of(nic::stop, nic::start, nic::reset, nic::stop, nic::reset)) {
            works(nic);
            last = notBehind(last, nic.statistics());
            next.run();
            last = notBehind(last, nic.statistics());
            nic.start();
        }
        assertThat(last.rxFrames()).isGreaterThanOrEqualTo(15);
        assertThat(last.txFrames()).isGreaterThanOrEqualTo(15);
    }

    private static NicStatistics notBehind(NicStatistics before, NicStatistics now) {
        assertThat(now.rxFrames()).isGreaterThanOrEqualTo(before.rxFrames());
        assertThat(now.rxBytes()).isGreaterThanOrEqualTo(before.rxBytes());
        assertThat(now.rxMissed()).isGreaterThanOrEqualTo(before.rxMissed());
        assertThat(now.rxErrors()).isGreaterThanOrEqualTo(before.rxErrors());
        assertThat(now.txFrames()).isGreaterThanOrEqualTo(before.txFrames());
        assertThat(now.txBytes()).isGreaterThanOrEqualTo(before.txBytes());
        assertThat(now.txErrors()).isGreaterThanOrEqualTo(before.txErrors());
        assertThat(now.details().keySet())
                .containsExactlyElementsOf(before.details().keySet());
        before.details()
                .forEach((counter, count) ->
                        assertThat(now.details().get(counter)).as(counter).isGreaterThanOrEqualTo(count));
        return now;
    }

    @Test
    void receivesFramesForOthersWhenItIsPromiscuous() {
        Nic nic = openWithLink();
        nic.promiscuous(true);
        receives(nic, frame(OTHER, 60));
        if (!filters()) {
            assertThatThrownBy(() -> nic.promiscuous(false))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(name());
            receives(nic, frame(OTHER, 61));
            return;
        }
        nic.promiscuous(false);
        ignoresOthers(nic);
        nic.stop();
        nic.promiscuous(true);
        nic.start();
        nic.awaitLink(SOON);
        receives(nic, frame(OTHER, 63));
        nic.reset();
        nic.awaitLink(SOON);
        receives(nic, frame(OTHER, 64));
        nic.promiscuous(false);
        nic.reset();
        nic.awaitLink(SOON);
        ignoresOthers(nic);
    }

    private void ignoresOthers(Nic nic) {
        peer().send(frame(OTHER, 61));
        receives(nic, frame(nic.macAddress(), 62));
    }

    // ---- Stopping, starting, resetting

    @Test
    void aStoppedNicMovesNothingAndAnswers() {
        Nic nic = openWithLink();
        FrameBatch batch = new FrameBatch(2);
        add(batch, nic.pool(), frame(PEER, 60));
        nic.stop();
        saysThatItIsStopped(() -> nic.rxQueue(0).receive(batch));
        saysThatItIsStopped(() -> nic.txQueue(0).send(batch));
        assertThat(batch.size()).isEqualTo(1);
        batch.release();
        assertThat(nic.txQueue(0).reclaim()).isZero();
        allBuffersAreBack(nic.pool());
        assertThat(nic.linkState()).isEqualTo(LinkState.DOWN);
        assertThatThrownBy(() -> nic.awaitLink(SHORT)).isInstanceOf(DoorbellException.class);
        nic.promiscuous(true);
        nic.statistics();
        nic.stop();
        nic.start();
        works(nic);
    }

    @Test
    void startingANicThatRunsDoesNothing() {
        Nic nic = openWithLink();
        byte[] bytes = frame(nic.macAddress(), 60);
        peer().send(bytes);
        nic.start();
        FrameBatch batch = new FrameBatch(1);
        receive(nic, batch, 1);
        assertThat(batch.frame(0).toByteArray()).isEqualTo(bytes);
        batch.release();
    }

    @ParameterizedTest
    @EnumSource
    void worksAsBeforeAfter(Change change) {
        Nic nic = openWithLink();
        FramePool pool = nic.pool();
        int free = pool.available();
        for (int i = 0; i < 3; i++) {
            works(nic);
            change.make(nic);
            assertThat(pool.available()).isEqualTo(free);
        }
        works(nic);
        nic.stop();
        allBuffersAreBack(pool);
    }

    @ParameterizedTest
    @EnumSource
    void dropsWhatIsInTheRingsOn(Change change) {
        Nic nic = openWithLink();
        FramePool pool = nic.pool();
        int free = pool.available();
        for (int i = 0; i < 10; i++) {
            peer().send(frame(nic.macAddress(), 60));
        }
        change.make(nic);
        FrameBatch batch = new FrameBatch(16);
        nic.awaitLink(SOON);
        byte[] last = frame(nic.macAddress(), 99);
        peer().send(last);
        // Some may have been on the link still, and none of those in the ring comes twice.
        assertThat(BoundedWait.until(
                        () -> {
                            nic.rxQueue(0).receive(batch);
                            return !batch.isEmpty()
                                    && batch.frame(batch.size() - 1).length() == 99;
                        },
                        SOON))
                .isTrue();
        assertThat(batch.size()).isLessThanOrEqualTo(11);
        batch.release();
        change.make(nic);
        assertThat(pool.available()).isEqualTo(free);
    }

    @ParameterizedTest
    @EnumSource
    void aLoopOutlivesWhatAnotherThreadDoes(Change change) throws Exception {
        Nic nic = openWithLink();
        Loop loop = new Loop(nic);
        FutureTask<Throwable> polling = inAnotherThread(loop);
        FutureTask<Void> changes = inAnotherThread(action(() -> {
            for (int i = 0; i < 5; i++) {
                loop.goesOn();
                change.make(nic);
            }
            loop.goesOn();
            loop.enough = true;
        }));
        drainUntilDone(changes);
        result(changes);
        assertThat(result(polling)).isNull();
        nic.stop();
        allBuffersAreBack(nic.pool());
    }

    @Test
    void answersOtherThreadsWhileOnePolls() throws Exception {
        Nic nic = openWithLink();
        Loop loop = new Loop(nic);
        FutureTask<Throwable> polling = inAnotherThread(loop);
        List<FutureTask<Void>> asking = new ArrayList<>();
        for (int thread = 0; thread < 2; thread++) {
            asking.add(inAnotherThread(action(() -> {
                for (int i = 0; i < 8; i++) {
                    assertThat(nic.linkState().up()).isTrue();
                    assertThat(nic.statistics().rxErrors()).isZero();
                    nic.promiscuous(true);
                    nic.find(RegisterDump.class)
                            .ifPresent(dump -> assertThat(dump.registers()).isNotEmpty());
                    nic.find(FeatureReport.class)
                            .ifPresent(report -> assertThat(report.features()).isNotEmpty());
                }
            })));
        }
        for (FutureTask<Void> thread : asking) {
            drainUntilDone(thread);
            result(thread);
        }
        loop.enough = true;
        drainUntilDone(polling);
        assertThat(result(polling)).isNull();
    }

    @Test
    void anInterruptedThreadCanStopStartAndResetIt() {
        assumeTrue(bearsInterrupts());
        Nic nic = openWithLink();
        Thread.currentThread().interrupt();
        try {
            nic.stop();
            nic.start();
            nic.reset();
            nic.promiscuous(true);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        works(nic);
    }

    // ---- Closing

    @Test
    void aClosedNicSaysSo() {
        Nic nic = openWithLink();
        works(nic);
        FramePool pool = nic.pool();
        FrameBatch batch = new FrameBatch(3);
        add(batch, pool, frame(PEER, 60));
        add(batch, pool, frame(PEER, 60));
        nic.close();
        saysThatItIsClosed(() -> nic.rxQueue(0).receive(batch));
        saysThatItIsClosed(() -> nic.txQueue(0).send(batch));
        saysThatItIsClosed(() -> nic.txQueue(0).reclaim());
        saysThatItIsClosed(nic::linkState);
        saysThatItIsClosed(() -> nic.awaitLink(SHORT));
        saysThatItIsClosed(nic::statistics);
        saysThatItIsClosed(action(() -> nic.promiscuous(true)));
        saysThatItIsClosed(action(() -> nic.promiscuous(false)));
        saysThatItIsClosed(action(nic::start));
        saysThatItIsClosed(action(nic::reset));
        saysThatItIsClosed(() -> pool.allocate(batch, 1));
        if (!pool.memory().scope().isAlive()) { // else it is a machine's of the tests, and goes with that
            saysThatItIsClosed(() -> batch.frame(0).getByte(0));
        }
        nic.stop();
        nic.close();
        assertThat(batch.size()).isEqualTo(2);
        batch.release();
        allBuffersAreBack(pool);
    }

    @Test
    void aNicThatWasStoppedCloses() {
        Nic nic = open();
        nic.stop();
        nic.close();
        saysThatItIsClosed(() -> nic.rxQueue(0).receive(new FrameBatch(1)));
        saysThatItIsClosed(() -> nic.txQueue(0).send(new FrameBatch(1)));
        saysThatItIsClosed(nic::statistics);
        allBuffersAreBack(nic.pool());
    }

    @Test
    void everyOneOfSeveralThreadsThatCloseItFindsItClosed() throws Exception {
        Nic nic = openWithLink();
        works(nic);
        for (int i = 0; i < 10; i++) {
            peer().send(frame(nic.macAddress(), 60));
        }
        CyclicBarrier together = new CyclicBarrier(3);
        List<FutureTask<Void>> closing = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            closing.add(inAnotherThread(() -> {
                await(together);
                nic.close();
                allBuffersAreBack(nic.pool());
                saysThatItIsClosed(() -> nic.pool().allocate(new FrameBatch(1), 1));
                return null;
            }));
        }
        for (FutureTask<Void> thread : closing) {
            result(thread);
        }
    }

    private static void await(CyclicBarrier barrier) throws InterruptedException {
        try {
            barrier.await();
        } catch (BrokenBarrierException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aLoopEndsWhenAnotherThreadClosesIt() throws Exception {
        Nic nic = openWithLink();
        Loop loop = new Loop(nic);
        FutureTask<Throwable> polling = inAnotherThread(loop);
        FutureTask<Void> closing = inAnotherThread(action(() -> {
            loop.goesOn();
            nic.close();
        }));
        drainUntilDone(closing);
        result(closing);
        assertThat(result(polling)).isInstanceOf(NicClosedException.class).hasMessageContaining(name());
        allBuffersAreBack(nic.pool());
    }

    @Test
    void whoWaitsForTheLinkHearsThatItIsClosed() throws Exception {
        Nic nic = openWithLink();
        peer().link(false);
        assertThat(BoundedWait.until(() -> !nic.linkState().up(), SOON)).isTrue();
        FutureTask<LinkState> wait = inAnotherThread(() -> nic.awaitLink(SOON.multipliedBy(10)));
        Thread.sleep(SHORT);
        nic.close();
        assertThatThrownBy(() -> wait.get(SOON.toNanos(), TimeUnit.NANOSECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(NicClosedException.class)
                .hasMessageContaining(name());
    }

    @Test
    void anInterruptedThreadCanCloseIt() {
        assumeTrue(bearsInterrupts());
        Nic nic = openWithLink();
        Thread.currentThread().interrupt();
        try {
            nic.close();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        allBuffersAreBack(nic.pool());
        saysThatItIsClosed(nic::linkState);
    }

    @Test
    void leavesAPoolOfTheApplicationsAsItWas() {
        try (FramePool pool = applicationPool(2048, FramePool.HEADROOM + 2048)) {
            for (int i = 0; i < 2; i++) {
                Nic nic = open(NicConfig.defaults().withPool(pool));
                assertThat(nic.pool()).isSameAs(pool);
                peer();
                works(nic);
                nic.close();
                allBuffersAreBack(pool);
                FrameBatch batch = new FrameBatch(1);
                add(batch, pool, frame(PEER, 60));
                batch.release();
            }
        }
    }

    // ---- What the Flight Recorder is told

    @Test
    void tellsTheFlightRecorderWhatBecomesOfIt() {
        List<RecordedEvent> events;
        try (EventRecording recording = new EventRecording(dir)) {
            Nic nic = openWithLink();
            works(nic);
            peer().link(false);
            assertThat(BoundedWait.until(() -> !nic.linkState().up(), SOON)).isTrue();
            peer().link(true);
            nic.awaitLink(SOON);
            nic.reset();
            nic.awaitLink(SOON);
            nic.stop();
            nic.close();
            nic.close();
            events = recording.read().stream()
                    .filter(event -> event.getString("nic").equals(name()))
                    .toList();
        }
        assertThat(EventRecording.only("NicOpen", events)).singleElement().satisfies(open -> {
            assertThat(open.getString("model")).isEqualTo(opened.getFirst().model());
            assertThat(open.getInt("queues")).isEqualTo(1);
            assertThat(open.getString("failure")).isEmpty();
            assertThat(open.getDuration()).isPositive();
        });
        assertThat(EventRecording.only("LinkChange", events))
                .extracting(event -> event.getBoolean("up"))
                .containsExactly(true, false, true, false, true, false);
        for (String once : List.of("NicReset", "NicClose")) {
            assertThat(EventRecording.only(once, events))
                    .singleElement()
                    .satisfies(event -> assertThat(event.getString("failure")).isEmpty());
        }
        assertThat(EventRecording.only("QueueStop", events)).isEmpty();
        assertThat(EventRecording.only("RingStall", events)).isEmpty();
    }

    @Test
    void tellsTheFlightRecorderOfARingThatGetsNoBuffers() {
        Nic nic = openWithLink();
        FrameBatch all = new FrameBatch(nic.pool().buffers() + 1);
        int held = nic.pool().allocate(all, nic.pool().buffers());
        List<RecordedEvent> events;
        try (EventRecording recording = new EventRecording(dir)) {
            for (int i = 0; i < MANY; i++) {
                peer().send(frame(nic.macAddress(), 60));
                nic.rxQueue(0).receive(all);
            }
            BoundedWait.until(
                    () -> nic.rxQueue(0).receive(all) > 0 && all.size() == held + MANY, SHORT.multipliedBy(20));
            BoundedWait.until(() -> nic.rxQueue(0).receive(all) > 0, SHORT);
            events = recording.read();
        }
        saysThatItStalls(events, "receive queue 0", "pool");
        // Some may be in the ring still, for want of buffers of the NIC's own.
        int missing = held + MANY - all.size();
        all.release();
        receive(nic, all, missing);
        all.release();
        works(nic);
    }

    @Test
    void tellsTheFlightRecorderOfARingThatStaysFull() {
        assumeTrue(fillsUp());
        Nic nic = openWithLink();
        FrameBatch batch = new FrameBatch(32);
        byte[] bytes = frame(PEER, 1000);
        int sent = 0;
        List<RecordedEvent> events;
        try (EventRecording recording = new EventRecording(dir)) {
            long last = System.nanoTime();
            while (System.nanoTime() - last < SHORT.toNanos()) {
                while (batch.remaining() > 0) {
                    add(batch, nic.pool(), bytes);
                }
                int taken = nic.txQueue(0).send(batch);
                sent += taken;
                last = taken > 0 ? System.nanoTime() : last;
            }
            events = recording.read();
        }
        batch.release();
        saysThatItStalls(events, "transmit queue 0", "full");
        for (int i = 0; i < sent; i++) {
            assertThat(peer().receive(SOON))
                    .hasValueSatisfying(seen -> assertThat(seen).isEqualTo(bytes));
        }
        works(nic);
    }

    private void saysThatItStalls(List<RecordedEvent> events, String queue, String reason) {
        assertThat(EventRecording.only("RingStall", events)).isNotEmpty().allSatisfy(stall -> {
            assertThat(stall.getString("nic")).isEqualTo(name());
            assertThat(stall.getString("queue")).isEqualTo(queue);
            assertThat(stall.getString("reason")).contains(reason);
            assertThat(stall.getDuration("stalledFor")).isGreaterThanOrEqualTo(Duration.ofMillis(10));
        });
    }

    // ---- Nonsense

    @ParameterizedTest
    @ValueSource(ints = {-1, 1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void hasNoQueueOfSuchANumber(int index) {
        Nic nic = open();
        for (Runnable next : List.<Runnable>of(() -> {}, nic::stop, nic::close)) {
            next.run();
            assertThatThrownBy(() -> nic.rxQueue(index))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining(name())
                    .hasMessageContaining("receive")
                    .hasMessageContaining(String.valueOf(index));
            assertThatThrownBy(() -> nic.txQueue(index))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining(name())
                    .hasMessageContaining("transmit")
                    .hasMessageContaining(String.valueOf(index));
        }
    }

    @Test
    void survivesPollsWithoutABatch() {
        Nic nic = openWithLink();
        assertThatThrownBy(() -> nic.rxQueue(0).receive(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> nic.txQueue(0).send(null)).isInstanceOf(NullPointerException.class);
        works(nic);
    }

    @Test
    void doesNothingForBatchesWithoutRoomOrFrames() {
        Nic nic = openWithLink();
        FrameBatch full = new FrameBatch(1);
        byte[] bytes = frame(nic.macAddress(), 60);
        add(full, nic.pool(), bytes);
        peer().send(bytes);
        for (int i = 0; i < 1000; i++) {
            assertThat(nic.rxQueue(0).receive(full)).isZero();
            assertThat(nic.txQueue(0).send(new FrameBatch(1))).isZero();
        }
        full.release();
        receive(nic, full, 1);
        assertThat(full.frame(0).toByteArray()).isEqualTo(bytes);
        full.release();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 13})
    void sendsNothingOfABatchWithAFrameThatIsNone(int length) {
        Nic nic = openWithLink();
        byte[] good = frame(PEER, 60);
        FrameBatch batch = new FrameBatch(2);
        add(batch, nic.pool(), good);
        add(batch, nic.pool(), new byte[length]);
        int free = nic.pool().available();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(name())
                    .hasMessageContaining(length + " bytes");
            assertThat(batch.size()).isEqualTo(2);
            assertThat(nic.pool().available()).isEqualTo(free);
        }
        batch.release(1);
        send(nic, batch);
        assertThat(peer().receive(SOON).orElseThrow()).isEqualTo(good);
        works(nic);
    }

    /** Puts a frame of so many bytes behind the others, in as many slots as it takes, or in more. */
    private byte[] addInSlots(FrameBatch batch, FramePool pool, int length, int slots) {
        byte[] bytes = frame(PEER, length);
        int room = pool.bufferSize() - FramePool.HEADROOM;
        int first = batch.size();
        int from = 0;
        for (int left = slots; left > 0; left--) {
            int piece = Math.min(room, from == 0 ? Math.max(60, (length - from) / left) : (length - from) / left);
            add(batch, pool, Arrays.copyOfRange(bytes, from, from + piece));
            from += piece;
        }
        assertThat(from).isEqualTo(length);
        batch.join(first, slots);
        return bytes;
    }

    private static int slotsFor(int length, FramePool pool) {
        return Math.ceilDiv(length, pool.bufferSize() - FramePool.HEADROOM);
    }

    @Test
    void sendsAFrameAsLongAsItSaysThatItTakes() {
        Nic nic = openWithLink();
        SendLimits limits = nic.txQueue(0).limits();
        int length = Math.min(limits.longest(), longestThroughPeer());
        FrameBatch batch = new FrameBatch(64);
        byte[] bytes = addInSlots(batch, nic.pool(), length, slotsFor(length, nic.pool()));
        assertThat(limits.allow(batch, 0)).isTrue();
        send(nic, batch);
        assertThat(peer().receive(SOON))
                .hasValueSatisfying(seen -> assertThat(seen).isEqualTo(bytes));
    }

    @Test
    void sendsAFrameInAsManySlotsAsItSaysThatItTakes() {
        Nic nic = openWithLink();
        SendLimits limits = nic.txQueue(0).limits();
        int slots = Math.min(limits.slots(), 64);
        FrameBatch batch = new FrameBatch(65);
        byte[] bytes = addInSlots(batch, nic.pool(), 60 + slots - 1, slots);
        assertThat(limits.allow(batch, 0)).isTrue();
        send(nic, batch);
        assertThat(peer().receive(SOON))
                .hasValueSatisfying(seen -> assertThat(seen).isEqualTo(bytes));
    }

    @Test
    void refusesWhatIsBeyondWhatItSaysThatItTakes() {
        Nic nic = openWithLink();
        SendLimits limits = nic.txQueue(0).limits();
        if (limits.slots() < 128) {
            String slots = limits.slots() == 1 ? "MORE_SEGMENTS" : "up to " + limits.slots();
            refuses(nic, slots, batch -> addInSlots(batch, nic.pool(), 60 + limits.slots(), limits.slots() + 1));
        }
        if (limits.longest() < 65536) {
            int length = limits.longest() + 1;
            int slots = limits.slots() == 1 ? 1 : slotsFor(length, nic.pool());
            refuses(nic, length + " bytes", batch -> addInSlots(batch, nic.pool(), length, slots));
        }
        if ((limits.offloads() & Offloads.VLAN_TAG) == 0) {
            refuses(nic, "VLAN_TAG", batch -> {
                add(batch, nic.pool(), frame(PEER, 60));
                batch.frame(0).vlanTag(7);
            });
        }
        if ((limits.offloads() & Offloads.NEEDS_CHECKSUM) == 0) {
            refuses(nic, "NEEDS_CHECKSUM", batch -> {
                add(batch, nic.pool(), frame(PEER, 60));
                batch.frame(0).needsChecksum(34, 6);
            });
        }
        String reason = (limits.offloads() & Offloads.NEEDS_CHECKSUM) == 0 ? "NEEDS_CHECKSUM" : "SEGMENT";
        for (Segmentation segmentation : Segmentation.values()) {
            if (!limits.segmentations().contains(segmentation)) {
                refuses(nic, reason, batch -> {
                    add(batch, nic.pool(), frame(PEER, 200));
                    batch.frame(0).needsChecksum(34, 6);
                    batch.frame(0).segment(segmentation, 54, 50);
                });
            }
        }
        works(nic);
    }

    /** None of the batch is taken, whatever stands before the frame, and the application has it still. */
    private void refuses(Nic nic, String reason, Consumer<FrameBatch> frame) {
        FrameBatch batch = new FrameBatch(130);
        frame.accept(batch);
        int free = nic.pool().available();
        int slots = batch.size();
        assertThat(nic.txQueue(0).limits().allow(batch, 0)).as(reason).isFalse();
        assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(name())
                .hasMessageContaining(reason);
        assertThat(batch.size()).isEqualTo(slots);
        assertThat(nic.pool().available()).isEqualTo(free);
        batch.release();
    }

    @Test
    void knowsThePoolsThatItCanSendFrom() {
        Nic nic = openWithLink();
        try (FramePool foreign = FramePool.create(8, FramePool.HEADROOM + 2048)) {
            byte[] first = frame(PEER, 60);
            byte[] second = frame(PEER, 61);
            FrameBatch batch = new FrameBatch(2);
            add(batch, nic.pool(), first);
            add(batch, foreign, second);
            if (sendsFromAnyPool()) {
                send(nic, batch);
                assertThat(peer().receive(SOON).orElseThrow()).isEqualTo(first);
                assertThat(peer().receive(SOON).orElseThrow()).isEqualTo(second);
            } else {
                assertThatThrownBy(() -> nic.txQueue(0).send(batch))
                        .isInstanceOf(DoorbellException.class)
                        .hasMessageContaining("NicConfig.withPool");
                assertThat(batch.size()).isEqualTo(2);
                batch.release();
            }
            works(nic);
            allBuffersAreBack(foreign);
        }
    }

    // ---- Waiting

    private static CompletableFuture<Boolean> sleeper(QueueWaiter waiter) {
        while (waiter.await(Duration.ZERO)) {
            // what there was to tell
        }
        return CompletableFuture.supplyAsync(() -> waiter.await(SOON));
    }

    @Test
    void wakesAThreadThatSleeps() {
        Nic nic = openWithLink();
        assumeTrue(nic.find(QueueInterrupts.class).isPresent());
        try (QueueWaiter waiter = new QueueWaiter().add(nic, 0)) {
            CompletableFuture<Boolean> sleeper = sleeper(waiter);
            byte[] frame = frame(nic.macAddress(), 60);
            peer().send(frame);
            assertThat(sleeper.join()).as("for a frame").isTrue();
            FrameBatch batch = new FrameBatch(1);
            while (nic.rxQueue(0).receive(batch) == 0) {
                assertThat(waiter.await(SOON)).as("for a frame, again").isTrue();
            }
            assertThat(batch.frame(0).toByteArray()).isEqualTo(frame);
            batch.release();

            sleeper = sleeper(waiter);
            nic.stop();
            assertThat(sleeper.join()).as("for a stop").isTrue();
            nic.start();
            works(nic);

            sleeper = sleeper(waiter);
            nic.close();
            assertThat(sleeper.join()).as("for the end").isTrue();
        }
    }

    /** Each frame comes when the thread has seen the one before and is about to sleep, or has just fallen asleep. */
    @Test
    void losesNoFrameHoweverOftenItsThreadSleeps() throws InterruptedException {
        Nic nic = openWithLink();
        assumeTrue(nic.find(QueueInterrupts.class).isPresent());
        byte[] frame = frame(nic.macAddress(), 60);
        FrameBatch batch = new FrameBatch(32);
        AtomicInteger seen = new AtomicInteger();
        Thread sender = Thread.ofPlatform().daemon().start(() -> {
            for (int round = 0; round < SLEEPS; round++) {
                while (seen.get() < round) {
                    Thread.onSpinWait();
                }
                peer().send(frame);
            }
        });
        try (QueueWaiter waiter = new QueueWaiter().add(nic, 0).addLink(nic)) {
            while (seen.get() < SLEEPS) {
                assertThat(waiter.await(SOON)).as("round %d", seen.get()).isTrue();
                if (nic.rxQueue(0).receive(batch) > 0) {
                    batch.release();
                    seen.incrementAndGet();
                }
            }
        }
        sender.join();
    }

    @Test
    void wakesAThreadThatWaitsForTheLink() {
        Nic nic = openWithLink();
        assumeTrue(nic.find(QueueInterrupts.class).isPresent());
        try (QueueWaiter waiter = new QueueWaiter().addLink(nic)) {
            for (int i = 0; i < 3; i++) {
                awaitChange(waiter, nic, false, () -> peer().link(false));
                awaitChange(waiter, nic, true, () -> peer().link(true));
            }
            awaitChange(waiter, nic, false, nic::stop);
            nic.start();
            nic.awaitLink(SOON);

            CompletableFuture<Boolean> sleeper = sleeper(waiter);
            nic.close();
            assertThat(sleeper.join()).as("for the end").isTrue();
        }
    }

    /** The NIC is asked only once the thread is awake: that it looks must not be what wakes it. */
    private static void awaitChange(QueueWaiter waiter, Nic nic, boolean up, Runnable change) {
        CompletableFuture<Boolean> sleeper = sleeper(waiter);
        change.run();
        assertThat(sleeper.join()).as("for a change").isTrue();
        while (nic.linkState().up() != up) {
            assertThat(waiter.await(SOON))
                    .as("for the link to be " + (up ? "up" : "down"))
                    .isTrue();
        }
    }

    // ---- Abilities

    private interface AbilityOfNone extends Ability {}

    @Test
    void hasTheSameAbilitiesAllItsLife() {
        Nic nic = open();
        Set<Class<? extends Ability>> types = nic.abilities().types();
        assertThat(ABILITIES).containsAll(types);
        for (Runnable next : List.<Runnable>of(() -> {}, nic::stop, nic::start, nic::reset, nic::close)) {
            next.run();
            assertThat(nic.abilities().types()).isEqualTo(types);
            ABILITIES.forEach(type -> isFoundOrMissed(nic, type, types.contains(type)));
            isFoundOrMissed(nic, AbilityOfNone.class, false);
        }
        assertThatThrownBy(() -> nic.find(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> nic.ability(null)).isInstanceOf(NullPointerException.class);
    }

    private <A extends Ability> void isFoundOrMissed(Nic nic, Class<A> type, boolean has) {
        Optional<A> found = nic.find(type);
        if (has) {
            assertThat(found).containsSame(nic.ability(type));
        } else {
            assertThat(found).isEmpty();
            String start = name() + " has no " + type.getSimpleName() + ": ";
            assertThatThrownBy(() -> nic.ability(type))
                    .isInstanceOf(DoorbellException.class)
                    .satisfies(
                            e -> assertThat(e.getMessage()).startsWith(start).hasSizeGreaterThan(start.length() + 10));
        }
    }

    @Test
    void itsAbilitiesSayThatItIsClosed() {
        Nic nic = open();
        List<Ability> before = new ArrayList<>();
        nic.abilities().types().forEach(type -> before.add(nic.ability(type)));
        nic.close();
        for (Class<? extends Ability> type : nic.abilities().types()) {
            Ability ability = nic.ability(type);
            assertThat(before).contains(ability);
            for (Method method : type.getMethods()) {
                if (Modifier.isAbstract(method.getModifiers())) {
                    saysThatItIsClosed(() -> call(ability, method));
                }
            }
        }
    }

    private static Object call(Ability ability, Method method) throws Exception {
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = ARGUMENTS.get(method.getParameterTypes()[i]);
            assertThat(arguments[i]).as("an argument for " + method).isNotNull();
        }
        method.setAccessible(true);
        try {
            return method.invoke(ability, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    @Test
    void itsAbilitiesTakeWhatIsToGoOnceItRuns() {
        Nic nic = openWithLink();
        nic.stop();
        nic.find(RegisterDump.class)
                .ifPresent(dump -> assertThat(dump.registers()).isNotEmpty());
        nic.find(RssControl.class).ifPresent(rss -> rss.rss(rss.rss()));
        nic.find(Announcements.class)
                .ifPresent(
                        announcements -> assertThat(announcements.takeRequest()).isFalse());
        Optional<MacFilter> filter = nic.find(MacFilter.class);
        filter.ifPresent(found -> found.addresses(List.of(OTHER)));
        nic.start();
        works(nic);
        if (filter.isPresent()) {
            receives(nic, frame(OTHER, 60));
            nic.stop();
            filter.get().addresses(List.of());
            nic.start();
            nic.awaitLink(SOON);
            ignoresOthers(nic);
        }
    }

    @Test
    void setsUpQueuesAnewThatThereAre() {
        Nic nic = openWithLink();
        nic.find(QueueReset.class).ifPresent(queues -> {
            for (int index : new int[] {-1, 1}) {
                assertThatThrownBy(() -> queues.resetRxQueue(index))
                        .isInstanceOf(IndexOutOfBoundsException.class)
                        .hasMessageContaining(name());
                assertThatThrownBy(() -> queues.resetTxQueue(index))
                        .isInstanceOf(IndexOutOfBoundsException.class)
                        .hasMessageContaining(name());
            }
            int free = nic.pool().available();
            queues.resetRxQueue(0);
            queues.resetTxQueue(0);
            assertThat(nic.pool().available()).isEqualTo(free);
            nic.stop();
            assertThatThrownBy(() -> queues.resetRxQueue(0))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining(name() + " is stopped");
            nic.start();
        });
        assertThatCode(() -> works(nic)).doesNotThrowAnyException();
    }
}
