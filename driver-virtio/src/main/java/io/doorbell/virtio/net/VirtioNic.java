package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.frame.Abilities;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.LinkState;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.NicOption;
import io.doorbell.frame.NicStatistics;
import io.doorbell.frame.Rss;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.ability.Announcements;
import io.doorbell.frame.ability.Destination;
import io.doorbell.frame.ability.FeatureReport;
import io.doorbell.frame.ability.FeatureState;
import io.doorbell.frame.ability.MacFilter;
import io.doorbell.frame.ability.OffloadControl;
import io.doorbell.frame.ability.QueueInterrupts;
import io.doorbell.frame.ability.QueueReset;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.ability.RssControl;
import io.doorbell.frame.event.NicClose;
import io.doorbell.frame.event.NicOpen;
import io.doorbell.frame.event.NicReset;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.LinkWatch;
import io.doorbell.frame.spi.NicLife;
import io.doorbell.frame.spi.QueueAlarms;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.queue.ChainRing;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.VirtioTransport;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A virtio network device over any transport.
 *
 * <p>Whoever changes anything, or asks the device, holds this object's lock; threads that poll do not, as they stand
 * behind the gates of their queues. What counts or describes is read without it.
 */
public final class VirtioNic implements Nic, MacFilter, RssControl, OffloadControl, QueueReset {

    /** What it can be opened with; whether its device can do it shows in the negotiation. */
    public static final Set<NicOption<?>> OPTIONS = Set.of(
            NicOption.WITHOUT_FEATURES,
            NicOption.VLANS,
            NicOption.RSS,
            NicOption.RECEIVE_OFFLOADS,
            NicOption.ANNOUNCEMENTS);

    private static final System.Logger LOG = System.getLogger(VirtioNic.class.getName());

    private static final Duration DRAIN = Duration.ofMillis(500);

    private final String name;
    private final VirtioTransport transport;
    private final NetConfig netConfig;
    private final Features features;
    private final QueuePairs queues;
    private final @Nullable ControlQueue control;
    private final ReceiveFilter filter;
    private final RssSteering steering;
    private final ReceiveOffloads receiveOffloads;
    private final Abilities abilities;
    private final LinkWatch link;
    private volatile boolean running;
    private final NicLife life;

    /** Whether somebody wants to sleep. */
    private boolean interrupts;

    private boolean released;
    /** Whether the device is away, and is waited for. */
    private boolean away;

    /** Takes over {@code transport}, which is closed with the NIC, or right away if the NIC does not come up. */
    public static VirtioNic open(String name, VirtioTransport transport, NicConfig config) {
        return NicOpen.report(name, () -> {
            VirtioNic nic = Cleanup.onFailure(transport::close, () -> new VirtioNic(name, transport, config));
            return Cleanup.onFailure(nic::close, () -> {
                nic.start();
                transport.onLoss(nic::remove);
                return nic;
            });
        });
    }

    private VirtioNic(String name, VirtioTransport transport, NicConfig config) {
        this.name = name;
        this.life = new NicLife(name);
        this.transport = transport;
        this.netConfig = new NetConfig(transport);
        this.link = new LinkWatch(name, this::lookAtLink, transport::configurationInterrupt);
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
                features.has(Feature.VIRTIO_NET_F_MAC) ? netConfig.macAddress() : MacAddress.randomLocal(),
                config.promiscuous(),
                config.vlans().orElse(Set.of()));
        this.steering = new RssSteering(name, features, control, netConfig, queues.count(), config.rss());
        this.receiveOffloads = new ReceiveOffloads(name, features, control, config.receiveOffloads());
        this.abilities = choose();
    }

    /** What the device can do is known once its features are agreed on. */
    private Abilities choose() {
        Abilities all =
                Abilities.of(name).with(RegisterDump.class, this::registers).with(FeatureReport.class, this::features);
        all = filter.changes()
                ? all.with(MacFilter.class, this)
                : all.without(MacFilter.class, filter.whyNot(Feature.VIRTIO_NET_F_CTRL_RX));
        all = steering.changes() ? all.with(RssControl.class, this) : all.without(RssControl.class, steering.whyNot());
        all = receiveOffloads.changes()
                ? all.with(OffloadControl.class, this)
                : all.without(OffloadControl.class, receiveOffloads.whyNot());
        all = features.has(Feature.VIRTIO_NET_F_GUEST_ANNOUNCE)
                ? all.with(Announcements.class, this::takeAnnouncementRequest)
                : all.without(
                        Announcements.class,
                        "the device cannot ask for announcements, since "
                                + features.notInUse(Feature.VIRTIO_NET_F_GUEST_ANNOUNCE));
        all = transport.canInterrupt(queues.count())
                ? all.with(QueueInterrupts.class, new QueueAlarms(this::checkOpen, this::rxAlarm, this::linkAlarm))
                : all.without(
                        QueueInterrupts.class,
                        "this driver takes no interrupts over " + transport.description()
                                + " yet: poll, and park between" + " polls in vain (LockSupport.parkNanos)");
        return features.has(Feature.VIRTIO_F_RING_RESET)
                ? all.with(QueueReset.class, this)
                : all.without(
                        QueueReset.class,
                        "cannot set one queue up anew without the others, since "
                                + features.notInUse(Feature.VIRTIO_F_RING_RESET) + ": use Nic.reset");
    }

    private synchronized Alarm rxAlarm(int index) {
        Alarm alarm = queues.rx(index).alarm();
        interrupt();
        return alarm;
    }

    private synchronized Alarm linkAlarm() {
        interrupt();
        return link.alarm();
    }

    private void interrupt() {
        checkOpen();
        interrupts = true;
        if (running) {
            transport.enableInterrupts(queues.count());
        }
    }

    /** A device needs not be told that somebody has seen what it has to tell: it interrupts for each change. */
    private synchronized void lookAtLink() {
        if (running) {
            link.seen(netConfig.linkState(features));
        }
    }

    @Override
    public Abilities abilities() {
        return abilities;
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
    public synchronized void start() {
        checkOpen();
        if (!running) {
            undisturbed(this::bringUp);
        }
    }

    /** Keeps threads out of the queues meanwhile. */
    private void undisturbed(Runnable change) {
        queues.shut();
        try {
            change.run();
        } finally {
            queues.open();
        }
    }

    private void bringUp() {
        try {
            makeContact();
            settleFeatures();
            // Those of a device that could not be reset when it was stopped.
            queues.stop(null);
            transport.allowDma(true);
            if (interrupts) {
                transport.enableInterrupts(queues.count());
            }
            List<Doorbell> doorbells = queues.enable();
            Doorbell controlDoorbell = enableControl();
            transport.addStatus(DeviceStatus.DRIVER_OK);
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
            away(false);
            running = true;
            link.seen(netConfig.linkState(features));
        } catch (Throwable e) {
            Cleanup.after(e, this::halt); // leaves no device at work that did not come up
            throw e;
        }
    }

    private Doorbell enableControl() {
        if (control == null) {
            return () -> {};
        }
        control.prepare();
        return transport.enableQueue(controlIndex(), control.addresses());
    }

    @Override
    public synchronized void stop() {
        if (life.isOver()) {
            return;
        }
        undisturbed(() -> {
            takeDown();
            away(false);
            queues.forget();
        });
    }

    private void away(boolean isAway) {
        away = isAway;
        queues.away(isAway);
    }

    private void takeDown() {
        if (running) {
            try {
                drain();
            } finally {
                halt();
            }
        }
    }

    /**
     * The device is gone, or is let go of, and is waited for: what had arrived can still be received, and apart from that
     * polls find nothing until the NIC is started or stopped.
     */
    public synchronized void suspend() {
        if (life.isOver()) {
            return;
        }
        undisturbed(() -> {
            try {
                if (running) {
                    queues.drain();
                    halt();
                }
            } finally {
                away(true);
            }
        });
    }

    @Override
    public synchronized void reset() {
        checkOpen();
        NicReset.report(
                name,
                () -> undisturbed(() -> {
                    if (running) {
                        halt();
                    }
                    queues.forget();
                    bringUp();
                }));
    }

    private void halt() {
        running = false;
        link.seen(LinkState.DOWN);
        try {
            transport.reset();
        } finally {
            withhold(() -> {
                // Whatever the device did or did not do: from here on it cannot reach memory.
                transport.allowDma(false);
                queues.stop(transport.takeStraggler());
            });
            if (control != null) {
                control.stop();
            }
        }
    }

    /** If that fails, the rings keep their buffers until the device has been reset, or the transport is closed. */
    private void withhold(Runnable release) {
        try {
            release.run();
        } catch (Throwable e) {
            queues.halt();
            throw e;
        }
    }

    /** Takes back what stragglers had that are gone; returns how many are not. */
    public synchronized int reap() {
        if (!life.isOver()) {
            queues.reap();
        }
        return queues.stragglers();
    }

    public boolean isRunning() {
        return running;
    }

    /** Whether it is suspended, and neither started nor stopped since. */
    public synchronized boolean isAway() {
        return away;
    }

    /** Needs {@link Feature#VIRTIO_F_RING_RESET}. */
    @Override
    public synchronized void resetRxQueue(int index) {
        checkOpen();
        queues.rx(index);
        if (away) {
            queues.forget(index); // the ring is set up anew anyway, with the next device
            return;
        }
        checkCanResetQueues();
        queues.reset(2 * index);
    }

    /** As {@link #resetRxQueue}. */
    @Override
    public synchronized void resetTxQueue(int index) {
        checkOpen();
        queues.tx(index);
        if (away) {
            return;
        }
        checkCanResetQueues();
        queues.reset(2 * index + 1);
    }

    private void checkCanResetQueues() {
        if (!running) {
            throw new DoorbellException(name + " is stopped: start it, which sets all its queues up anew");
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
        life.close(); // before the lock is taken: who has it does not wait for the device any longer
        end();
    }

    /** The device is lost: whoever polls or sleeps hears of it, and all is let go of, for which the system waits. */
    private void remove(String why) {
        if (life.remove(why)) {
            LOG.log(Level.WARNING, "{0} was removed: {1}", name, why);
            end();
        }
    }

    private synchronized void end() {
        if (released) {
            return;
        }
        released = true;
        link.close();
        NicClose.report(
                name,
                () -> new Cleanup()
                        .then(() -> queues.close(life))
                        .then(this::takeDown)
                        .then(this::letGo)
                        .end());
    }

    /** What a device has that could not be kept from memory is nobody else's. */
    private void letGo() {
        transport.close();
        queues.release();
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
                name + " control queue", transport.dma(), size, features, this::checkNeeded, ControlQueue.PATIENCE);
    }

    private void checkHealth() {
        int status = transport.status();
        if ((status & DeviceStatus.DEVICE_NEEDS_RESET) != 0) {
            throw new BrokenDeviceException(name
                    + ": the device has met an error that it cannot get over, and asks to be"
                    + " reset (device_status: " + DeviceStatus.describe(status) + "): use Nic.reset");
        }
    }

    /** What a command waits for is of no use any more once somebody closes the NIC. */
    private void checkNeeded() {
        checkOpen();
        checkHealth();
    }

    private void checkOpen() {
        life.checkOpen();
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
    public synchronized LinkState linkState() {
        checkOpen();
        if (!running) {
            return LinkState.DOWN;
        }
        checkHealth();
        return link.seen(netConfig.linkState(features));
    }

    @Override
    public LinkState awaitLink(Duration timeout) {
        BoundedWait.require(
                "link on " + name,
                () -> linkState().up(), // without the lock between two looks: others have the NIC meanwhile
                timeout,
                () -> "the device's status says that the link is down; is the network behind it up?");
        return linkState();
    }

    /** A device without {@link Feature#VIRTIO_NET_F_CTRL_RX} is always promiscuous, and refuses to be otherwise. */
    @Override
    public synchronized void promiscuous(boolean on) {
        checkOpen();
        filter.promiscuous(on);
    }

    /** As {@link #promiscuous}. */
    @Override
    public synchronized void allMulticast(boolean on) {
        checkOpen();
        filter.allMulticast(on);
    }

    @Override
    public synchronized void addresses(Collection<MacAddress> others) {
        checkOpen();
        filter.others(List.copyOf(others));
    }

    @Override
    public synchronized void allUnicast(boolean on) {
        checkOpen();
        filter.allUnicast(on);
    }

    @Override
    public synchronized void drop(Set<Destination> kinds) {
        checkOpen();
        filter.dropped(kinds);
    }

    /** The device asks in its configuration, and stops when it is told that it was heard (5.1.6.5.4). */
    private synchronized boolean takeAnnouncementRequest() {
        checkOpen();
        if (!running || !netConfig.wantsAnnouncement()) {
            return false;
        }
        Objects.requireNonNull(control).command(ControlCommand.ANNOUNCE_ACK);
        return true;
    }

    @Override
    public synchronized void macAddress(MacAddress address) {
        checkOpen();
        filter.own(address);
    }

    @Override
    public synchronized void receiveOffloads(int offloads) {
        checkOpen();
        receiveOffloads.change(offloads);
    }

    @Override
    public synchronized void rss(Rss rss) {
        checkOpen();
        steering.rss(rss);
    }

    @Override
    public synchronized Rss rss() {
        checkOpen();
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
        return new NicStatistics(
                in.frames, in.bytes, 0, in.errors, out.frames - lost, out.bytes - queues.lostBytes(), lost, details);
    }

    private synchronized List<RegisterValue> registers() {
        checkOpen();
        return transport.registers();
    }

    private List<FeatureState> features() {
        checkOpen();
        return features.states();
    }

    /** What was offered, wanted and agreed on. */
    public Features negotiation() {
        return features;
    }

    /** For tests that give commands of their own. */
    @Nullable
    ControlQueue control() {
        return control;
    }

    /** For tests that play the device. */
    public QueueAddresses addresses(int queue) {
        return queues.queue(queue).addresses();
    }

    @Override
    public String toString() {
        return model() + " " + name;
    }
}
