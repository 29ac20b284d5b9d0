package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FeatureState;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.RegisterValue;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.spi.BoundedWait;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

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
    private final VhostUserTransport transport;
    private final RxGate rx;
    private final TxGate tx;
    private final EventFd wake;
    private final Thread watcher;

    // ---- Under this object's lock

    /** Whether the application wants it to run. */
    private boolean wanted = true;
    /** Whether it would run if there were a back-end. */
    private boolean down;

    private long lost;
    private long reconnects;
    private volatile boolean closed;

    static VhostUserNic open(String name, String path, NicConfig config) {
        Kernel kernel = Kernel.linux();
        VhostUserTransport transport = new VhostUserTransport(kernel, path, LocalAddresses.random());
        return new VhostUserNic(kernel, VirtioNic.open(name, transport, config), transport);
    }

    private VhostUserNic(Kernel kernel, VirtioNic nic, VhostUserTransport transport) {
        this.nic = nic;
        this.transport = transport;
        this.rx = new RxGate(nic.rxQueue(0));
        this.tx = new TxGate(nic.txQueue(0));
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
        rx.gate.shut();
        tx.gate.shut();
        rx.rescue();
        try {
            lost += nic.txQueue(0).reclaim();
        } catch (BrokenDeviceException e) {
            LOG.log(Level.WARNING, "the back-end left its ring in disorder", e);
        }
        nic.stop();
        offline(true);
        rx.gate.open();
        tx.gate.open();
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

    /** With the gates shut. */
    private void offline(boolean isDown) {
        down = isDown;
        rx.offline = isDown;
        tx.offline = isDown;
    }

    private void changeTo(boolean isDown) {
        rx.gate.shut();
        tx.gate.shut();
        offline(isDown);
        rx.gate.open();
        tx.gate.open();
    }

    // ---- Queues

    /** The receive queue behind a gate. */
    private static final class RxGate implements RxQueue {

        final VhostGate gate = new VhostGate();
        boolean offline;
        private final RxQueue queue;
        /** Frames that an earlier back-end had sent; null when there are none. */
        private @Nullable FrameBatch rescued;

        RxGate(RxQueue queue) {
            this.queue = queue;
        }

        @Override
        public int receive(FrameBatch batch) {
            if (!gate.enter()) {
                return 0;
            }
            try {
                if (rescued != null) {
                    return deliver(rescued, batch);
                }
                return offline ? 0 : queue.receive(batch);
            } finally {
                gate.leave();
            }
        }

        private int deliver(FrameBatch from, FrameBatch to) {
            int count = Math.min(from.size(), to.room());
            for (int i = 0; i < count; i++) {
                from.moveTo(to, 0);
            }
            if (from.isEmpty()) {
                rescued = null;
            }
            return count;
        }

        /** Takes out of the ring what has arrived, before the ring is emptied. The gate is shut. */
        void rescue() {
            FrameBatch all = rescued == null ? new FrameBatch(32) : rescued;
            try {
                while (true) {
                    if (all.room() == 0) {
                        FrameBatch larger = new FrameBatch(2 * all.capacity());
                        deliver(all, larger);
                        all = larger;
                    }
                    if (queue.receive(all) == 0) {
                        break;
                    }
                }
            } catch (BrokenDeviceException e) {
                LOG.log(Level.WARNING, "the back-end left its ring in disorder", e);
            }
            rescued = all.isEmpty() ? null : all;
        }

        void forget() {
            if (rescued != null) {
                rescued.release();
                rescued = null;
            }
        }

        @Override
        public FramePool pool() {
            return queue.pool();
        }
    }

    /** The transmit queue behind a gate. */
    private static final class TxGate implements TxQueue {

        final VhostGate gate = new VhostGate();
        boolean offline;
        private final TxQueue queue;

        TxGate(TxQueue queue) {
            this.queue = queue;
        }

        @Override
        public int send(FrameBatch batch) {
            if (!gate.enter()) {
                return 0;
            }
            try {
                return offline ? 0 : queue.send(batch);
            } finally {
                gate.leave();
            }
        }

        @Override
        public int reclaim() {
            if (!gate.enter()) {
                return 0;
            }
            try {
                return offline ? 0 : queue.reclaim();
            } finally {
                gate.leave();
            }
        }
    }

    @Override
    public RxQueue rxQueue(int index) {
        nic.rxQueue(index);
        return rx;
    }

    @Override
    public TxQueue txQueue(int index) {
        nic.txQueue(index);
        return tx;
    }

    // ---- The application's wishes

    @Override
    public synchronized void stop() {
        wanted = false;
        nic.stop();
        changeTo(false);
        rx.forget();
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
        details.put("lost_in_reconnects", lost);
        return new NicStatistics(
                counted.rxFrames(),
                counted.rxBytes(),
                counted.rxMissed(),
                counted.rxErrors(),
                counted.txFrames() - lost,
                counted.txBytes(),
                counted.txErrors() + lost,
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
