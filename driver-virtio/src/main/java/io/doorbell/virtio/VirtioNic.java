package io.doorbell.virtio;

import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FeatureState;
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
import io.doorbell.frame.spi.PoolRegistrations;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A virtio network device over any transport, with one queue in each direction. */
final class VirtioNic implements Nic {

    private static final int HEADER = 12;
    private static final int LEGACY_HEADER = 10;

    /** Ethernet header and VLAN tag, which an MTU leaves out. */
    private static final int ETHERNET = 18;
    /** Bytes behind the header that a receive buffer has at least: 1500 and {@link #ETHERNET}. */
    private static final int SMALLEST_BUFFER_ROOM = 1500 + ETHERNET;

    private static final int SMALLEST_QUEUE = 4;
    private static final int LARGEST_QUEUE = 32768;
    /** Frames that the application can hold on to while both rings are full. */
    private static final int APPLICATION_FRAMES = 1024;

    private static final int RX = 0;
    private static final int TX = 1;
    /** Behind the queues for frames (5.1.2), of which there is one pair. */
    private static final int CONTROL = 2;

    private static final Duration DRAIN = Duration.ofMillis(500);

    private final String name;
    private final VirtioTransport transport;
    private final NetConfig netConfig;
    private final Features features;
    private final VirtioRxQueue rx;
    private final VirtioTxQueue tx;
    private final @Nullable ControlQueue control;
    private final ReceiveFilter filter;
    private boolean running;
    private boolean closed;

    /** Takes over {@code transport}, which is closed with the NIC, or right away if the NIC does not come up. */
    static VirtioNic open(String name, VirtioTransport transport, NicConfig config) {
        try {
            VirtioNic nic = new VirtioNic(name, transport, config);
            nic.start();
            return nic;
        } catch (Throwable e) {
            try {
                transport.close();
            } catch (RuntimeException onTop) {
                e.addSuppressed(onTop);
            }
            throw e;
        }
    }

    private VirtioNic(String name, VirtioTransport transport, NicConfig config) {
        this.name = name;
        this.transport = transport;
        this.netConfig = new NetConfig(transport);
        long wanted = Feature.wanted(config.withoutFeatures());

        PoolRegistrations pools = new PoolRegistrations(transport.dma());
        makeContact();
        int rxSize = queueSize(RX, "receive", config.rxRingSize());
        int txSize = queueSize(TX, "transmit", config.txRingSize());
        FramePool pool = pool(pools, config, rxSize + txSize);
        this.features = negotiate(wanted, pool, config);
        checkQueueSize("receive", rxSize);
        checkQueueSize("transmit", txSize);
        this.rx = rxQueue(rxSize, new RxBuffers(pool, pools.deviceAddress(0), header()));
        this.tx = txQueue(txSize, pools, pool);
        this.control = features.has(Feature.VIRTIO_NET_F_CTRL_VQ) ? controlQueue() : null;
        this.filter = new ReceiveFilter(
                name,
                features,
                control,
                features.has(Feature.VIRTIO_NET_F_MAC) ? netConfig.macAddress() : LocalAddresses.random(),
                config.promiscuous(),
                config.vlans().orElse(Set.of()));
    }

    // ---- Set-up: the driver's part of 3.1.1

    /** Steps 1 to 3. */
    private void makeContact() {
        transport.reset();
        transport.addStatus(DeviceStatus.ACKNOWLEDGE);
        transport.addStatus(DeviceStatus.DRIVER);
    }

    /** Chooses what step 4 is to agree on. */
    private Features negotiate(long wanted, FramePool pool, NicConfig config) {
        Features chosen = new Features(transport.deviceFeatures(), wanted);
        if (transport.isModern() && !chosen.has(Feature.VIRTIO_F_VERSION_1)) {
            throw new DoorbellException(name + ": the device does not offer " + Feature.VIRTIO_F_VERSION_1
                    + ", without which it is not the modern device that it looks like; it offers "
                    + Feature.describe(chosen.offered()));
        }
        if (transport.isModern()) {
            chosen = chosen.without(Feature.VIRTIO_F_ANY_LAYOUT, "a modern device can do that anyway");
        } else if (!chosen.has(Feature.VIRTIO_F_ANY_LAYOUT)) {
            throw new DoorbellException(
                    name + ": the device wants headers in buffers of their own, and this driver puts"
                            + " header and frame into one: " + Feature.VIRTIO_F_ANY_LAYOUT + " is not in use ("
                            + chosen.whyNot(Feature.VIRTIO_F_ANY_LAYOUT) + ")");
        }
        if (chosen.has(Feature.VIRTIO_NET_F_MTU)
                && netConfig.mtu() + ETHERNET > pool.bufferSize() - FramePool.HEADROOM) {
            // Taking it would promise that a frame of that size fits (5.1.4.1).
            chosen = chosen.without(
                    Feature.VIRTIO_NET_F_MTU, "the frame buffers do not hold a frame of " + netConfig.mtu() + " bytes");
        }
        if (config.vlans().isEmpty()) {
            chosen = chosen.without(Feature.VIRTIO_NET_F_CTRL_VLAN, "frames of all VLANs are wanted");
        }
        chosen = chosen.withoutOrphans();
        if (config.vlans().isPresent() && !chosen.has(Feature.VIRTIO_NET_F_CTRL_VLAN)) {
            throw new DoorbellException(name + ": cannot make the device drop frames of other VLANs than those of"
                    + " NicConfig.withVlans, since " + Feature.VIRTIO_NET_F_CTRL_VLAN + " is not in use ("
                    + chosen.whyNot(Feature.VIRTIO_NET_F_CTRL_VLAN) + "): look at each frame's tag");
        }
        return chosen;
    }

    /** Steps 4 to 6. */
    private void settleFeatures() {
        if ((features.negotiated() & ~transport.deviceFeatures()) != 0) {
            throw new DoorbellException(
                    name + ": the device does not offer any more what it offered when it was opened: "
                            + Feature.describe(features.negotiated() & ~transport.deviceFeatures())
                            + "; close the NIC and open it again");
        }
        transport.driverFeatures(features.negotiated());
        if (transport.isModern()) {
            transport.addStatus(DeviceStatus.FEATURES_OK);
            if ((transport.status() & DeviceStatus.FEATURES_OK) == 0) {
                transport.addStatus(DeviceStatus.FAILED);
                throw new DoorbellException(name + ": the device does not accept this choice of its features: "
                        + Feature.describe(features.negotiated()) + "; leave some with NicConfig.withoutFeatures");
            }
        }
    }

    @Override
    public void start() {
        checkOpen();
        if (running) {
            return;
        }
        makeContact();
        settleFeatures();
        transport.allowDma(true);
        rx.prepare();
        tx.prepare();
        Doorbell rxDoorbell = transport.enableQueue(RX, rx.addresses());
        Doorbell txDoorbell = transport.enableQueue(TX, tx.addresses());
        Doorbell controlDoorbell = enableControl();
        transport.addStatus(DeviceStatus.DRIVER_OK);
        running = true; // so that stop() stops it if a command fails
        if (control != null) {
            control.start(controlDoorbell);
        }
        // Before there are buffers: no frame gets in that is not wanted.
        filter.apply();
        rx.start(rxDoorbell);
        tx.start(txDoorbell);
        checkHealth();
    }

    private Doorbell enableControl() {
        if (control == null) {
            return () -> {};
        }
        control.prepare();
        return transport.enableQueue(CONTROL, control.addresses());
    }

    @Override
    public void stop() {
        if (!running) {
            return;
        }
        running = false;
        drain();
        try {
            transport.reset();
        } finally {
            // Whatever the device did or did not do: from here on it cannot reach memory.
            transport.allowDma(false);
            rx.stop();
            tx.stop();
            if (control != null) {
                control.stop();
            }
        }
    }

    /**
     * Sets one queue up anew while the others go on (2.6.1), as after a {@link BrokenDeviceException} from it. No thread
     * may be polling it. Its frames are dropped, and their buffers go back.
     *
     * @throws DoorbellException when the device cannot reset a single queue
     */
    void resetQueue(int index) {
        if (!features.has(Feature.VIRTIO_F_RING_RESET)) {
            throw new DoorbellException(name + ": the device cannot reset a single queue, since "
                    + Feature.VIRTIO_F_RING_RESET + " is not in use: stop the NIC and start it again");
        }
        Virtqueue queue = index == RX ? rx : tx;
        transport.resetQueue(index);
        queue.stop();
        queue.prepare();
        queue.start(transport.enableQueue(index, queue.addresses()));
    }

    /** Lets the device send what it has, as long as it works and there is a link. */
    private void drain() {
        try {
            checkHealth();
            if (netConfig.linkState(features).up()) {
                BoundedWait.until(() -> tx.reclaim() == 0, DRAIN);
            }
        } catch (BrokenDeviceException e) {
            // Then what it holds is not going to be sent.
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            stop();
        } finally {
            transport.close();
        }
    }

    // ---- What it is made of

    private int header() {
        return transport.isModern() ? HEADER : LEGACY_HEADER;
    }

    /** As many entries as the configuration asks for, unless the device has fewer or no choice. */
    private int queueSize(int index, String direction, int asked) {
        int most = transport.queueMaxSize(index);
        if (most < 1 || most > LARGEST_QUEUE) {
            throw new BrokenDeviceException(name + ": the device has a " + direction + " queue of " + most
                    + " entries; possible are 1 to " + LARGEST_QUEUE);
        }
        return transport.queueSizeIsFixed() ? most : Math.min(asked, most);
    }

    private void checkQueueSize(String direction, int size) {
        boolean packed = features.has(Feature.VIRTIO_F_RING_PACKED);
        if (size < SMALLEST_QUEUE || (!packed && Integer.bitCount(size) != 1)) {
            throw new DoorbellException("a virtio " + direction + " queue of the " + (packed ? "packed" : "split")
                    + " layout has " + SMALLEST_QUEUE + " to " + LARGEST_QUEUE + " entries"
                    + (packed ? "" : ", a power of two") + ", not " + size
                    + ": choose such a size with NicConfig.withRingSizes");
        }
    }

    private FramePool pool(PoolRegistrations pools, NicConfig config, int rings) {
        FramePool shared = config.sharedPool();
        FramePool pool =
                shared != null ? pools.register(shared) : pools.create(rings + APPLICATION_FRAMES, config.bufferSize());
        if (pool.bufferSize() < FramePool.HEADROOM + SMALLEST_BUFFER_ROOM) {
            throw new DoorbellException("a virtio device receives a frame into one buffer of at least "
                    + (FramePool.HEADROOM + SMALLEST_BUFFER_ROOM) + " bytes, headroom included, and the pool has "
                    + pool + ": choose a larger size with NicConfig.withBufferSize or FramePool.create");
        }
        if (pool.buffers() < rings) {
            throw new DoorbellException("the pool has " + pool + ", fewer than the " + rings
                    + " descriptors of the rings that are to use it: give it " + (rings + APPLICATION_FRAMES)
                    + ", or choose smaller rings with NicConfig.withRingSizes");
        }
        return pool;
    }

    private VirtioRxQueue rxQueue(int size, RxBuffers source) {
        String queueName = name + " receive queue 0";
        DmaSpace space = transport.dma();
        QueueCounters counters = new QueueCounters();
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedRxQueue(queueName, space, size, features, source, counters, this::checkHealth)
                : new SplitRxQueue(queueName, space, size, features, source, counters, this::checkHealth);
    }

    private VirtioTxQueue txQueue(int size, PoolRegistrations pools, FramePool pool) {
        String queueName = name + " transmit queue 0";
        DmaSpace space = transport.dma();
        int longest = features.has(Feature.VIRTIO_NET_F_MTU)
                ? netConfig.mtu() + ETHERNET
                : pool.bufferSize() - FramePool.HEADROOM;
        TxFrames frames = new TxFrames(queueName, pools, longest, header());
        QueueCounters counters = new QueueCounters();
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedTxQueue(queueName, space, size, features, frames, counters, this::checkHealth)
                : new SplitTxQueue(queueName, space, size, features, frames, counters, this::checkHealth);
    }

    private ControlQueue controlQueue() {
        int most = transport.queueMaxSize(CONTROL);
        int size = transport.queueSizeIsFixed() ? most : Math.min(ControlQueue.SIZE, most);
        if (!features.has(Feature.VIRTIO_F_RING_PACKED)) {
            size = Integer.highestOneBit(size);
        }
        if (size < ControlQueue.SMALLEST) {
            throw new BrokenDeviceException(name + ": the device has a control queue of " + most
                    + " entries, and a command takes up to " + ChainRing.LONGEST + ": leave it with"
                    + " NicConfig.withoutFeatures(\"" + Feature.VIRTIO_NET_F_CTRL_VQ + "\")");
        }
        return new ControlQueue(
                name + " control queue", transport.dma(), size, features, this::checkHealth, ControlQueue.PATIENCE);
    }

    private void checkHealth() {
        int status = transport.status();
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET) != 0) {
            throw new BrokenDeviceException(name
                    + ": the device has met an error that it cannot get over, and asks to be"
                    + " reset (device_status: " + DeviceStatus.describe(status) + "): stop the NIC and start it again");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(name + " is closed");
        }
    }

    // ---- What it says of itself

    @Override
    public String name() {
        return name;
    }

    @Override
    public String model() {
        return "virtio-net, " + transport.description() + ", "
                + (features.has(Feature.VIRTIO_F_RING_PACKED) ? "packed" : "split") + " rings";
    }

    @Override
    public MacAddress macAddress() {
        return filter.own();
    }

    @Override
    public RxQueue rxQueue(int index) {
        checkQueue("receive", index);
        return rx;
    }

    @Override
    public TxQueue txQueue(int index) {
        checkQueue("transmit", index);
        return tx;
    }

    private void checkQueue(String direction, int index) {
        if (index != 0) {
            throw new IndexOutOfBoundsException(
                    name + " has one " + direction + " queue, number 0; there is no number " + index);
        }
    }

    @Override
    public LinkState linkState() {
        checkOpen();
        checkHealth();
        return netConfig.linkState(features);
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        BoundedWait.require(
                "link on " + name,
                () -> linkState().up(),
                timeout,
                () -> "the device's status says that the link is down; is the network behind it up?");
        return linkState();
    }

    /** A device without {@link Feature#VIRTIO_NET_F_CTRL_RX} is always promiscuous, and refuses to be otherwise. */
    @Override
    public void promiscuous(boolean on) {
        checkOpen();
        filter.promiscuous(on);
    }

    /** As {@link #promiscuous}. */
    @Override
    public void allMulticast(boolean on) {
        checkOpen();
        filter.allMulticast(on);
    }

    @Override
    public void alsoReceive(Collection<MacAddress> addresses) {
        checkOpen();
        filter.others(List.copyOf(addresses));
    }

    @Override
    public void macAddress(MacAddress address) {
        checkOpen();
        filter.own(address);
    }

    @Override
    public NicStatistics statistics() {
        checkOpen();
        QueueCounters in = rx.counters();
        QueueCounters out = tx.counters();
        SequencedMap<String, Long> details = new LinkedHashMap<>();
        addDetails(details, "rx[0]", in);
        addDetails(details, "tx[0]", out);
        if (control != null) {
            details.put("control.commands", control.counters().frames);
        }
        return new NicStatistics(in.frames, in.bytes, 0, 0, out.frames, out.bytes, 0, details);
    }

    private static void addDetails(SequencedMap<String, Long> details, String queue, QueueCounters counters) {
        details.put(queue + ".frames", counters.frames);
        details.put(queue + ".bytes", counters.bytes);
        details.put(queue + ".kicks", counters.kicks);
    }

    @Override
    public List<RegisterValue> registers() {
        checkOpen();
        return transport.registers();
    }

    @Override
    public List<FeatureState> features() {
        return features.states();
    }

    /** What was offered, wanted and agreed on. */
    Features negotiation() {
        return features;
    }

    /** For tests that give commands of their own. */
    @Nullable
    ControlQueue control() {
        return control;
    }

    /** For tests that play the device. */
    QueueAddresses addresses(boolean receive) {
        return receive ? rx.addresses() : tx.addresses();
    }

    @Override
    public String toString() {
        return model() + " " + name;
    }
}
