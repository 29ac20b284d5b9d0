package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.PinnedMemory;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.event.NicClose;
import io.doorbell.frame.event.NicOpen;
import io.doorbell.frame.event.NicReset;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.PoolNeeds;
import io.doorbell.frame.spi.QueueAlarms;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.spec.Feature;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The device's end of a vhost-user socket as a NIC: it receives what the front-end sends, and the other way round. Frames
 * are copied, once, out of the front-end's memory or into it, so neither side holds on to the other's buffers.
 *
 * <p>The link is up while a front-end's queues run. Front-ends may come and go.
 */
public final class VhostBackendNic implements Nic {

    /** What is offered to a front-end, whatever the configuration. */
    private static final long FEATURES = Feature.VIRTIO_F_VERSION_1.mask()
            | Feature.VIRTIO_F_RING_PACKED.mask()
            | Feature.VIRTIO_F_IN_ORDER.mask()
            | Feature.VIRTIO_F_ORDER_PLATFORM.mask()
            | Feature.VIRTIO_F_EVENT_IDX.mask()
            | Feature.VIRTIO_F_INDIRECT_DESC.mask()
            | Feature.VIRTIO_NET_F_MRG_RXBUF.mask()
            | OffloadSide.DRIVER.checksum.mask()
            | OffloadSide.DRIVER.segmentation();

    private static final int SMALLEST_BUFFER_ROOM = 1518;

    private final Kernel kernel = Kernel.linux();
    private final String name;
    private final String path;
    private final long offered;
    private final Abilities abilities;
    private final LinkWatch link;
    private final MacAddress macAddress = MacAddress.randomLocal();
    private final FramePool pool;
    /** The pool's memory; null if the pool is the application's. */
    private final @Nullable PinnedMemory ownMemory;
    /** As the front-end numbers them: what it receives by, what it sends by, and so on. */
    private final List<VhostBackendQueue> queues = new ArrayList<>();

    private final List<VhostBackendRxQueue> rx = new ArrayList<>();
    private final List<VhostBackendTxQueue> tx = new ArrayList<>();
    private volatile @Nullable VhostBackendServer server;
    private final AtomicLong sessionsBefore = new AtomicLong();
    private volatile boolean closed;

    /**
     * Listens for front-ends.
     *
     * @param path of the socket
     * @param pairs queues each way
     * @throws DoorbellException when it cannot listen there
     */
    public static VhostBackendNic open(String name, String path, int pairs, NicConfig config) {
        return NicOpen.report(name, () -> {
            VhostBackendNic nic = new VhostBackendNic(name, path, pairs, config);
            return Cleanup.onFailure(nic::close, () -> {
                nic.start();
                return nic;
            });
        });
    }

    private VhostBackendNic(String name, String path, int pairs, NicConfig config) {
        this.name = name;
        this.path = path;
        this.link = new LinkWatch(name);
        this.offered = offered(config, pairs);
        this.abilities = Abilities.of(name)
                .with(RegisterDump.class, this::registers)
                .with(
                        QueueInterrupts.class,
                        new QueueAlarms(
                                this::checkOpen,
                                queue -> rx.get(check("receive", queue)).alarm(),
                                link::alarm));
        // Frames are copied, so the rings hold no buffers: a pool of the application's may have as many as it likes.
        PoolNeeds needs = new PoolNeeds("a vhost-user back-end", SMALLEST_BUFFER_ROOM, pairs * config.rxRingSize());
        FramePool shared = config.sharedPool();
        if (shared != null) {
            needs.requireRoom(shared.buffers(), shared.bufferSize());
            this.ownMemory = null;
            this.pool = shared;
        } else {
            int buffers = needs.buffers();
            needs.requireRoom(buffers, config.bufferSize());
            this.ownMemory = PinnedMemory.allocate(FramePool.bytesFor(buffers, config.bufferSize()));
            this.pool = FramePool.of(name, ownMemory.segment(), buffers, config.bufferSize());
        }
        for (int i = 0; i < pairs; i++) {
            String txName = name + " transmit queue " + i;
            VhostBackendQueue out = new VhostBackendQueue(kernel, txName, this::complain);
            String rxName = name + " receive queue " + i;
            VhostBackendQueue in = new VhostBackendQueue(kernel, rxName, this::complain);
            queues.add(out);
            queues.add(in);
            tx.add(new VhostBackendTxQueue(txName, out));
            rx.add(new VhostBackendRxQueue(rxName, in, pool, has(config, Offloads.MORE_SEGMENTS)));
        }
    }

    private static long offered(NicConfig config, int pairs) {
        // Names that do not exist or are needed are refused just as a driver refuses them.
        Feature.wanted(config.withoutFeatures());
        long features = pairs > 1 ? FEATURES | Feature.VIRTIO_NET_F_MQ.mask() : FEATURES;
        // What a front-end may leave undone, the application must be prepared to receive so.
        if (has(config, Offloads.NEEDS_CHECKSUM)) {
            features |= OffloadSide.DEVICE.checksum.mask();
        }
        if (has(config, Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS)) {
            features |= OffloadSide.DEVICE.segmentation();
        }
        for (String without : config.withoutFeatures()) {
            features &= ~Feature.valueOf(without).mask();
        }
        return features;
    }

    private static boolean has(NicConfig config, int offloads) {
        return (config.receiveOffloads() & offloads) == offloads;
    }

    /** On the thread that polls, which must not wait for one that stops or closes the NIC: that one waits for the poll. */
    private void complain(String about) {
        VhostBackendServer current = server;
        if (current != null) {
            current.complain(about);
        }
    }

    @Override
    public synchronized void start() {
        checkOpen();
        if (server != null) {
            return;
        }
        VhostBackendServer fresh = new VhostBackendServer(kernel, name, path, offered, queues, this::lookAtLink);
        run(true);
        server = fresh;
        fresh.start(); // from here on it is the server that shuts the gates
    }

    @Override
    public synchronized void stop() {
        if (server != null) {
            disconnect();
            run(false);
        }
    }

    private void disconnect() {
        VhostBackendServer current = server;
        if (current == null) {
            return;
        }
        current.close();
        sessionsBefore.addAndGet(current.sessions());
        server = null;
    }

    /** Disconnects the front-end, which may connect again. Where it cannot listen any more, it is stopped. */
    @Override
    public synchronized void reset() {
        checkOpen();
        NicReset.report(name, () -> {
            stop();
            start();
        });
    }

    private void run(boolean on) {
        for (VhostBackendQueue queue : queues) {
            queue.gate.shut();
            queue.run(on);
            queue.gate.open();
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        link.close();
        NicClose.report(
                name,
                () -> new Cleanup()
                        .then(this::disconnect)
                        .then(() -> queues.forEach(
                                queue -> queue.gate.close())) // not stopped: whoever polls hears what is true
                        .then(() -> {
                            if (ownMemory != null) {
                                pool.close();
                                ownMemory.close();
                            }
                        })
                        .end());
    }

    private void checkOpen() {
        if (closed) {
            throw new NicClosedException(name);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return "vhost-user back-end";
    }

    @Override
    public MacAddress macAddress() {
        return macAddress;
    }

    @Override
    public int queues() {
        return rx.size();
    }

    @Override
    public RxQueue rxQueue(int index) {
        return rx.get(check("receive", index));
    }

    @Override
    public TxQueue txQueue(int index) {
        return tx.get(check("transmit", index));
    }

    private int check(String direction, int index) {
        if (index < 0 || index >= queues()) {
            throw new IndexOutOfBoundsException(
                    name + " has " + queues() + " " + direction + " queues, from number 0; there is no number " + index
                            + ": ask for more by ,queues=N in its name");
        }
        return index;
    }

    @Override
    public LinkState linkState() {
        checkOpen();
        return lookAtLink();
    }

    private LinkState lookAtLink() {
        synchronized (link) { // else what one thread saw could be reported after what another saw later
            boolean up = queues.get(0).isUp() && queues.get(1).isUp();
            return link.seen(up ? new LinkState(true, 0, true) : LinkState.DOWN);
        }
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        BoundedWait.require(
                "a front-end of " + name,
                () -> linkState().up(),
                timeout,
                () -> "none has connected and started its queues");
        return linkState();
    }

    /** Whatever the front-end sends arrives. */
    @Override
    public void promiscuous(boolean on) {
        checkOpen();
        if (!on) {
            throw new DoorbellException(name + ": cannot keep frames for others away, since nothing filters between the"
                    + " two ends of a vhost-user socket: look at each frame's destination");
        }
    }

    @Override
    public NicStatistics statistics() {
        checkOpen();
        SequencedMap<String, Long> details = new LinkedHashMap<>();
        VhostBackendServer current = server;
        details.put("sessions", sessionsBefore.get() + (current == null ? 0 : current.sessions()));
        long rxFrames = 0;
        long rxBytes = 0;
        long rxErrors = 0;
        long txFrames = 0;
        long txBytes = 0;
        long txErrors = 0;
        for (int i = 0; i < rx.size(); i++) {
            QueueCounters in = rx.get(i).counters();
            QueueCounters out = tx.get(i).counters();
            rxFrames += in.frames;
            rxBytes += in.bytes;
            rxErrors += in.errors;
            txFrames += out.frames;
            txBytes += out.bytes;
            txErrors += tx.get(i).errors();
            details.put("rx[" + i + "].frames", in.frames);
            details.put("rx[" + i + "].calls", in.kicks);
            details.put("tx[" + i + "].frames", out.frames);
            details.put("tx[" + i + "].calls", out.kicks);
        }
        return new NicStatistics(rxFrames, rxBytes, 0, rxErrors, txFrames, txBytes, txErrors, details);
    }

    @Override
    public Abilities abilities() {
        return abilities;
    }

    private List<RegisterValue> registers() {
        checkOpen();
        return List.of(
                new RegisterValue(
                        "features[0]",
                        0,
                        OptionalInt.of((int) offered),
                        "vhost-user",
                        Feature.describe(offered & 0xffff_ffffL)),
                new RegisterValue(
                        "features[1]",
                        0,
                        OptionalInt.of((int) (offered >>> 32)),
                        "vhost-user",
                        Feature.describe(offered & ~0xffff_ffffL)));
    }

    @Override
    public String toString() {
        return model() + " " + name;
    }
}
