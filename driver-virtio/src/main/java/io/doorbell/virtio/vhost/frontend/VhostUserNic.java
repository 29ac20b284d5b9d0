package io.doorbell.virtio.vhost.frontend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.event.Reconnect;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.virtio.net.VirtioNic;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A virtio NIC whose device is another process, which may end, and start again, at any time. While there is none, the
 * link is down, nothing arrives and nothing can be sent. Frames that had arrived are still received; those that were
 * on their way out are counted as {@code txErrors}, for the other side may or may not have read them.
 *
 * <p>A thread of its own waits for the back-end to go, and calls it until it is back. It goes on whatever happens to it.
 */
public final class VhostUserNic implements Nic, QueueReset {

    private static final System.Logger LOG = System.getLogger(VhostUserNic.class.getName());
    private static final Duration BETWEEN_CALLS = Duration.ofMillis(50);
    private static final int BETWEEN_LOOKS_MILLIS = 50;
    /** Back-ends that are let go of and do not let go themselves, each of which costs buffers, and a file more to share. */
    private static final int MOST_STRAGGLERS = 3;

    private static final Duration DEATH = Duration.ofSeconds(30);

    private final VirtioNic nic;
    private final VhostTransport transport;
    private final EventFd wake;
    private final Thread watcher;
    private final Abilities abilities;

    private volatile boolean closed;
    private volatile long reconnects;
    /** Whether the watcher is making contact. */
    private volatile boolean calling;
    /** Why there is no back-end; null before one was missed. */
    private volatile @Nullable String missing;

    /** What the watcher has complained of last. */
    private @Nullable String complaint;

    // ---- Under this object's lock

    /** Whether the application wants it to run. */
    private boolean wanted = true;
    /** Since when the back-end is gone; null if it has not been since it was reported last. */
    private @Nullable Reconnect absence;

    private boolean released;

    public static VhostUserNic open(String name, String path, NicConfig config) {
        Kernel kernel = Kernel.linux();
        VhostUserTransport transport = new VhostUserTransport(kernel, path, MacAddress.randomLocal());
        VirtioNic nic = VirtioNic.open(name, transport, config);
        return Cleanup.onFailure(nic::close, () -> new VhostUserNic(kernel, nic, transport));
    }

    /** Over a NIC that runs, and its transport, both of which close with this one. */
    public VhostUserNic(Kernel kernel, VirtioNic nic, VhostTransport transport) {
        this.nic = nic;
        this.transport = transport;
        this.abilities =
                nic.find(QueueReset.class).isPresent() ? nic.abilities().with(QueueReset.class, this) : nic.abilities();
        this.wake = EventFd.create(kernel);
        this.watcher = Thread.ofPlatform().daemon().name(nic.name()).start(this::watch);
    }

    // ---- The back-end's coming and going: the watcher's thread

    private void watch() {
        while (!closed) {
            try {
                // Before the look at how things are: who changes them then wakes this thread once more.
                wake.clear();
                if (closed) {
                    return;
                }
                int stragglers = nic.reap();
                if (!transport.isConnected()) {
                    goDown();
                    comeBack();
                } else if (transport.awaitHangUp(wake, stragglers == 0 ? -1 : BETWEEN_LOOKS_MILLIS)) {
                    goDown();
                }
                if (!closed && !transport.isConnected()) {
                    LockSupport.parkNanos(BETWEEN_CALLS.toNanos());
                }
            } catch (Throwable e) {
                complain(e);
                LockSupport.parkNanos(BETWEEN_CALLS.toNanos());
            }
        }
    }

    /** Of the same again and again, once is enough. */
    private void complain(Throwable about) {
        try {
            Level level = about.toString().equals(complaint) ? Level.DEBUG : Level.WARNING;
            complaint = about.toString();
            LOG.log(level, nic.name() + ": the thread that waits for back-ends met an error, and goes on", about);
        } catch (Throwable lost) {
            // There is nobody left to tell.
        }
    }

    private synchronized void goDown() {
        synchronized (nic) { // the link is down once all that comes of it is done
            transport.disconnect();
            if (!wanted || nic.isAway() || closed) {
                return;
            }
            suspend();
        }
        LOG.log(Level.INFO, "{0}: the back-end is gone; waiting for it to come back", nic.name());
    }

    private void comeBack() {
        calling = true;
        try {
            if (!closed) {
                requireFewStragglers();
                transport.connect(); // without the lock: who listens there may take long to answer
                resume();
            }
        } catch (Throwable e) {
            missing = e.getMessage();
            transport.disconnect();
            if (!(e instanceof DoorbellException) && !closed) {
                throw e;
            }
            LOG.log(Level.DEBUG, "the back-end is not back yet", e);
        } finally {
            calling = false;
        }
    }

    private void requireFewStragglers() {
        int stragglers = nic.reap();
        if (stragglers >= MOST_STRAGGLERS) {
            throw new DoorbellException(
                    stragglers + " back-ends before have neither answered nor hung up, and may still"
                            + " write to the buffers that they have: end them (or let them go on, if they are stopped)");
        }
    }

    private synchronized void resume() {
        if (wanted && !closed && !nic.isRunning()) {
            nic.start();
            reconnects = reconnects + 1;
            if (absence != null) {
                absence.report(nic.name(), reconnects);
                absence = null;
            }
            LOG.log(Level.INFO, "{0}: the back-end is back", nic.name());
        }
    }

    // ---- Queues

    @Override
    public int queues() {
        return nic.queues();
    }

    @Override
    public RxQueue rxQueue(int index) {
        return nic.rxQueue(index);
    }

    @Override
    public TxQueue txQueue(int index) {
        return nic.txQueue(index);
    }

    // ---- The application's wishes

    @Override
    public synchronized void stop() {
        if (!closed) {
            wanted = false;
            withBackEnd(nic::stop);
        }
    }

    @Override
    public synchronized void start() {
        checkOpen();
        if (wanted) {
            return;
        }
        wanted = true;
        try {
            orWait(nic::start);
        } catch (RuntimeException e) {
            wanted = false;
            throw e;
        }
    }

    @Override
    public synchronized void reset() {
        checkOpen();
        wanted = true;
        if (!transport.isConnected()) {
            nic.stop(); // drops what had arrived
        }
        orWait(nic::reset);
    }

    /** Without a back-end, there is nothing to be done: the queue is set up anew with the next one. */
    @Override
    public synchronized void resetRxQueue(int index) {
        checkOpen();
        nic.rxQueue(index); // says what is wrong with the index, if anything is
        orWait(() -> nic.resetRxQueue(index));
        if (nic.isAway()) {
            nic.resetRxQueue(index); // drops what had arrived
        }
    }

    /** As {@link #resetRxQueue}. */
    @Override
    public synchronized void resetTxQueue(int index) {
        checkOpen();
        nic.txQueue(index);
        orWait(() -> nic.resetTxQueue(index));
    }

    /** Does what takes a back-end; where that is gone, or goes meanwhile, another one is waited for. */
    private void orWait(Runnable change) {
        try {
            if (transport.isConnected()) {
                withBackEnd(change);
                return;
            }
        } catch (DoorbellException e) {
            if (transport.isConnected()) {
                throw e;
            }
            missing = e.getMessage();
            LOG.log(Level.WARNING, "{0}; waiting for a back-end to come back", e.getMessage());
        }
        if (wanted) {
            suspend();
        }
    }

    private void suspend() {
        if (!nic.isAway()) {
            absence = Reconnect.begun();
        }
        nic.suspend();
    }

    /** Does what may show that the back-end is gone: then the watcher calls it. */
    private void withBackEnd(Runnable change) {
        try {
            change.run();
        } finally {
            if (!transport.isConnected()) {
                wake();
            }
        }
    }

    private synchronized void wake() {
        if (!released) {
            wake.signal();
            LockSupport.unpark(watcher);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new NicClosedException(name());
        }
    }

    @Override
    public void close() {
        closed = true;
        if (calling) {
            transport.abandon();
        }
        wake();
        boolean ended = join();
        // Holding the NIC's lock only, which the watcher does not need any more: a second call waits for the first.
        new Cleanup().then(nic::close).then(() -> release(ended)).end();
    }

    private synchronized void release(boolean watcherEnded) {
        if (watcherEnded && !released) {
            released = true;
            wake.close();
        }
    }

    /** Waits for the watcher's end, and is not to be interrupted in it. */
    private boolean join() {
        boolean interrupted = false;
        try {
            for (long end = System.nanoTime() + DEATH.toNanos(); ; ) {
                try {
                    return watcher.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // ---- What it says of itself; none of it waits for the watcher, who may wait for a back-end

    @Override
    public LinkState linkState() {
        checkOpen();
        return nic.isRunning() ? nic.linkState() : LinkState.DOWN;
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        BoundedWait.require(
                "a back-end of " + nic.name(),
                () -> linkState().up(),
                timeout,
                () -> Objects.requireNonNullElse(missing, "nobody listens on the socket, or who does is no back-end"));
        return linkState();
    }

    @Override
    public NicStatistics statistics() {
        NicStatistics counted = nic.statistics();
        SequencedMap<String, Long> details = new LinkedHashMap<>(counted.details());
        details.put("reconnects", reconnects);
        return new NicStatistics(
                counted.rxFrames(),
                counted.rxBytes(),
                counted.rxMissed(),
                counted.rxErrors(),
                counted.txFrames(),
                counted.txBytes(),
                counted.txErrors(),
                details);
    }

    @Override
    public String name() {
        return nic.name();
    }

    @Override
    public String model() {
        return nic.model();
    }

    @Override
    public MacAddress macAddress() {
        return nic.macAddress();
    }

    @Override
    public void promiscuous(boolean on) {
        nic.promiscuous(on);
    }

    @Override
    public Abilities abilities() {
        return abilities;
    }

    @Override
    public String toString() {
        return nic.toString();
    }
}
