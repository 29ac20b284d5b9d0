package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Destination;
import io.doorbell.frame.FeatureState;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.RegisterValue;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.BoundedWait;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A virtio NIC whose device is another process, which may end, and start again, at any time. While there is none, the
 * link is down, nothing arrives and nothing can be sent. Frames that had arrived are still received; those that were
 * on their way out are counted as {@code txErrors}, for the other side may or may not have read them.
 *
 * <p>A thread of its own waits for the back-end to go, and calls it until it is back.
 */
final class VhostUserNic implements Nic {

    private static final System.Logger LOG = System.getLogger(VhostUserNic.class.getName());
    private static final Duration BETWEEN_CALLS = Duration.ofMillis(50);
    private static final Duration DEATH = Duration.ofSeconds(30);

    private final VirtioNic nic;
    private final VhostTransport transport;
    private final List<VhostUserRxQueue> rx = new ArrayList<>();
    private final List<VhostUserTxQueue> tx = new ArrayList<>();
    private final EventFd wake;
    private final Thread watcher;

    // ---- Under this object's lock

    /** Whether the application wants it to run. */
    private boolean wanted = true;
    /** Whether it would run if there were a back-end. */
    private boolean down;

    private long reconnects;
    private volatile boolean closed;

    static VhostUserNic open(String name, String path, NicConfig config) {
        Kernel kernel = Kernel.linux();
        VhostUserTransport transport = new VhostUserTransport(kernel, path, LocalAddresses.random());
        return new VhostUserNic(kernel, VirtioNic.open(name, transport, config), transport);
    }

    /** Over a NIC that runs, and its transport, both of which close with this one. */
    VhostUserNic(Kernel kernel, VirtioNic nic, VhostTransport transport) {
        this.nic = nic;
        this.transport = transport;
        for (int pair = 0; pair < nic.queues(); pair++) {
            rx.add(new VhostUserRxQueue(nic.name() + " receive queue " + pair, nic.rxQueue(pair)));
            tx.add(new VhostUserTxQueue(nic.name() + " transmit queue " + pair, nic.txQueue(pair)));
        }
        this.wake = EventFd.create(kernel);
        this.watcher = Thread.ofPlatform().daemon().name(nic.name()).start(this::watch);
    }

    // ---- The back-end's coming and going: the watcher's thread

    private void watch() {
        while (!closed) {
            if (transport.isConnected()) {
                if (transport.awaitHangUp(wake)) {
                    goDown();
                }
            } else {
                goDown();
                if (!comeBack()) {
                    LockSupport.parkNanos(BETWEEN_CALLS.toNanos());
                }
            }
        }
    }

    private synchronized void goDown() {
        transport.disconnect();
        if (!wanted || down || closed) {
            return;
        }
        shutGates();
        rx.forEach(VhostUserRxQueue::rescue);
        nic.stop();
        offline(true);
        openGates();
        LOG.log(Level.INFO, "{0}: the back-end is gone; waiting for it to come back", nic.name());
    }

    /** Whether there is a back-end again. */
    private synchronized boolean comeBack() {
        if (closed) {
            return false;
        }
        try {
            transport.connect();
            if (down) {
                nic.start();
                changeTo(false);
                reconnects++;
                LOG.log(Level.INFO, "{0}: the back-end is back", nic.name());
            }
            return true;
        } catch (DoorbellException e) {
            LOG.log(Level.DEBUG, "the back-end is not back yet", e);
            nic.stop();
            transport.disconnect();
            return false;
        }
    }

    private void shutGates() {
        rx.forEach(queue -> queue.gate.shut());
        tx.forEach(queue -> queue.gate.shut());
    }

    private void openGates() {
        rx.forEach(queue -> queue.gate.open());
        tx.forEach(queue -> queue.gate.open());
    }

    /** With the gates shut. */
    private void offline(boolean isDown) {
        down = isDown;
        rx.forEach(queue -> queue.offline = isDown);
        tx.forEach(queue -> queue.offline = isDown);
    }

    private void changeTo(boolean isDown) {
        shutGates();
        offline(isDown);
        openGates();
    }

    // ---- Queues

    @Override
    public int queues() {
        return nic.queues();
    }

    @Override
    public RxQueue rxQueue(int index) {
        nic.rxQueue(index); // says what is wrong with the index, if anything is
        return rx.get(index);
    }

    @Override
    public TxQueue txQueue(int index) {
        nic.txQueue(index);
        return tx.get(index);
    }

    // ---- The application's wishes

    @Override
    public synchronized void stop() {
        wanted = false;
        nic.stop();
        changeTo(false);
        rx.forEach(VhostUserRxQueue::forget);
    }

    @Override
    public synchronized void start() {
        if (wanted) {
            return;
        }
        if (transport.isConnected()) {
            nic.start();
        } else {
            changeTo(true);
        }
        wanted = true;
    }

    @Override
    public synchronized void reset() {
        checkOpen();
        rx.forEach(VhostUserRxQueue::forget);
        wanted = true;
        if (transport.isConnected()) {
            nic.reset();
            changeTo(false);
        } else {
            nic.stop();
            changeTo(true);
        }
    }

    /** Without a back-end, there is nothing to be done: the queue is set up anew with the next one. */
    @Override
    public synchronized void resetRxQueue(int index) {
        checkOpen();
        VhostUserRxQueue queue = rx.get(Objects.checkIndex(index, rx.size()));
        if (transport.isConnected() && !down) {
            nic.resetRxQueue(index);
        }
        queue.forget();
    }

    @Override
    public synchronized void resetTxQueue(int index) {
        checkOpen();
        Objects.checkIndex(index, tx.size());
        if (transport.isConnected() && !down) {
            nic.resetTxQueue(index);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(name() + " is closed");
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        wake.signal();
        LockSupport.unpark(watcher);
        boolean ended = join();
        try {
            synchronized (this) {
                stop();
                nic.close();
            }
        } finally {
            if (ended) {
                wake.close();
            }
        }
    }

    private boolean join() {
        try {
            return watcher.join(DEATH);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    // ---- What it says of itself

    @Override
    public synchronized LinkState linkState() {
        return transport.isConnected() && !down ? nic.linkState() : LinkState.DOWN;
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        BoundedWait.require(
                "a back-end of " + nic.name(),
                () -> linkState().up(),
                timeout,
                () -> "nobody listens on the socket, or who does is no back-end");
        return linkState();
    }

    @Override
    public synchronized NicStatistics statistics() {
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
    public void allUnicast(boolean on) {
        nic.allUnicast(on);
    }

    @Override
    public void ignore(Set<Destination> kinds) {
        nic.ignore(kinds);
    }

    @Override
    public boolean takeAnnouncementRequest() {
        return nic.takeAnnouncementRequest();
    }

    @Override
    public void receiveOffloads(int offloads) {
        nic.receiveOffloads(offloads);
    }

    @Override
    public void rss(Rss rss) {
        nic.rss(rss);
    }

    @Override
    public Optional<Rss> rss() {
        return nic.rss();
    }

    @Override
    public List<FeatureState> features() {
        return nic.features();
    }

    @Override
    public List<RegisterValue> registers() {
        return nic.registers();
    }

    @Override
    public String toString() {
        return nic.toString();
    }
}
