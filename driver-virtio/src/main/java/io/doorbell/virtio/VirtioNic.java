package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
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
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A virtio network device over any transport. */
final class VirtioNic implements Nic {

    private static final Duration DRAIN = Duration.ofMillis(500);

    private final String name;
    private final VirtioTransport transport;
    private final NetConfig netConfig;
    private final Features features;
    private final QueuePairs queues;
    private final @Nullable ControlQueue control;
    private final ReceiveFilter filter;
    private final Steering steering;
    private final ReceiveOffloads receiveOffloads;
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
        makeContact();
        this.features = new Negotiation(name, transport, netConfig, config).choose();
        // How many queues there are, and so which one is for control, depends on it.
        settleFeatures();
        this.queues = new QueuePairs(name, transport, features, netConfig, config, this::checkHealth);
        this.control = features.has(Feature.VIRTIO_NET_F_CTRL_VQ) ? controlQueue() : null;
        this.filter = new ReceiveFilter(
                name,
                features,
                control,
                features.has(Feature.VIRTIO_NET_F_MAC) ? netConfig.macAddress() : LocalAddresses.random(),
                config.promiscuous(),
                config.vlans().orElse(Set.of()));
        this.steering = new Steering(name, features, control, netConfig, queues.count(), config.rss());
        this.receiveOffloads = new ReceiveOffloads(name, features, control, config.receiveOffloads());
    }

    // ---- Set-up: the driver's part of 3.1.1

    /** Steps 1 to 3. */
    private void makeContact() {
        transport.reset();
        transport.addStatus(DeviceStatus.ACKNOWLEDGE);
        transport.addStatus(DeviceStatus.DRIVER);
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
        List<Doorbell> doorbells = queues.enable();
        Doorbell controlDoorbell = enableControl();
        transport.addStatus(DeviceStatus.DRIVER_OK);
        running = true; // so that stop() stops it if a command fails
        if (control != null) {
            control.start(controlDoorbell);
            transport.startQueue(controlIndex());
        }
        // Before there are buffers: no frame gets in that is not wanted, or into the wrong queue.
        filter.apply();
        steering.apply();
        receiveOffloads.apply();
        queues.start(doorbells);
        checkHealth();
    }

    private Doorbell enableControl() {
        if (control == null) {
            return () -> {};
        }
        control.prepare();
        return transport.enableQueue(controlIndex(), control.addresses());
    }

    @Override
    public void stop() {
        if (running) {
            drain();
            halt();
        }
    }

    @Override
    public void reset() {
        checkOpen();
        if (running) {
            halt();
        }
        start();
    }

    private void halt() {
        running = false;
        try {
            transport.reset();
        } finally {
            // Whatever the device did or did not do: from here on it cannot reach memory.
            transport.allowDma(false);
            queues.stop();
            if (control != null) {
                control.stop();
            }
        }
    }

    /** Needs {@link Feature#VIRTIO_F_RING_RESET}. */
    @Override
    public void resetRxQueue(int index) {
        checkCanResetQueues();
        queues.rx(index);
        queues.reset(2 * index);
    }

    /** As {@link #resetRxQueue}. */
    @Override
    public void resetTxQueue(int index) {
        checkCanResetQueues();
        queues.tx(index);
        queues.reset(2 * index + 1);
    }

    private void checkCanResetQueues() {
        checkOpen();
        if (!running) {
            throw new DoorbellException(name + " is stopped: start it, which sets all its queues up anew");
        }
        if (!features.has(Feature.VIRTIO_F_RING_RESET)) {
            throw new DoorbellException(name + ": cannot set one queue up anew without the others, since "
                    + Feature.VIRTIO_F_RING_RESET + " is not in use (" + features.whyNot(Feature.VIRTIO_F_RING_RESET)
                    + "): use Nic.reset");
        }
        // A device that has given up does not answer; resetting it as a whole is the way out.
        checkHealth();
    }

    /** Lets the device send what it has, as long as it works and there is a link. */
    private void drain() {
        try {
            checkHealth();
            if (netConfig.linkState(features).up()) {
                BoundedWait.until(() -> queues.unsent() == 0, DRAIN);
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

    /** Behind all queues for frames that the device can have with what was agreed on (5.1.2). */
    private int controlIndex() {
        boolean several = features.has(Feature.VIRTIO_NET_F_MQ) || features.has(Feature.VIRTIO_NET_F_RSS);
        return 2 * (several ? netConfig.maxQueuePairs() : 1);
    }

    private ControlQueue controlQueue() {
        int most = transport.queueMaxSize(controlIndex());
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
                    + " reset (device_status: " + DeviceStatus.describe(status) + "): use Nic.reset");
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
    public int queues() {
        return queues.count();
    }

    @Override
    public RxQueue rxQueue(int index) {
        return queues.rx(index);
    }

    @Override
    public TxQueue txQueue(int index) {
        return queues.tx(index);
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
    public void allUnicast(boolean on) {
        checkOpen();
        filter.allUnicast(on);
    }

    @Override
    public void ignore(Set<Destination> kinds) {
        checkOpen();
        filter.ignored(kinds);
    }

    /** The device asks in its configuration, and stops when it is told that it was heard (5.1.6.5.4). */
    @Override
    public boolean takeAnnouncementRequest() {
        checkOpen();
        if (control == null || !features.has(Feature.VIRTIO_NET_F_GUEST_ANNOUNCE)) {
            throw new DoorbellException(name + ": the device cannot ask for announcements, since "
                    + Feature.VIRTIO_NET_F_GUEST_ANNOUNCE + " is not in use ("
                    + features.whyNot(Feature.VIRTIO_NET_F_GUEST_ANNOUNCE) + ")");
        }
        if (!netConfig.wantsAnnouncement()) {
            return false;
        }
        control.command(ControlCommand.ANNOUNCE_ACK);
        return true;
    }

    @Override
    public void macAddress(MacAddress address) {
        checkOpen();
        filter.own(address);
    }

    @Override
    public void receiveOffloads(int offloads) {
        checkOpen();
        receiveOffloads.change(offloads);
    }

    @Override
    public void rss(Rss rss) {
        checkOpen();
        steering.rss(rss);
    }

    @Override
    public Optional<Rss> rss() {
        return steering.rss();
    }

    @Override
    public NicStatistics statistics() {
        checkOpen();
        SequencedMap<String, Long> details = new LinkedHashMap<>();
        QueueCounters in = queues.count(true, details);
        QueueCounters out = queues.count(false, details);
        if (control != null) {
            details.put("control.commands", control.counters().frames);
        }
        long lost = queues.lost();
        details.put("tx.lost", lost);
        return new NicStatistics(in.frames, in.bytes, 0, in.errors, out.frames - lost, out.bytes, lost, details);
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
    QueueAddresses addresses(int queue) {
        return queues.queue(queue).addresses();
    }

    @Override
    public String toString() {
        return model() + " " + name;
    }
}
