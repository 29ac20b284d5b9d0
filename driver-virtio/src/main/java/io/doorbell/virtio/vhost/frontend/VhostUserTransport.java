package io.doorbell.virtio.vhost.frontend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.UnixSocket;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.Straggler;
import io.doorbell.virtio.vhost.VhostConnection;
import io.doorbell.virtio.vhost.VhostDisconnected;
import io.doorbell.virtio.vhost.VhostMessage;
import io.doorbell.virtio.vhost.VhostProtocol;
import io.doorbell.virtio.vhost.VhostRequest;
import io.doorbell.virtio.vhost.VhostTimeout;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A device that another process, the back-end, plays: the front-end's side of the vhost-user protocol. Rings and frames
 * are in memory that both processes map, and a unix socket carries the rest.
 *
 * <p>The protocol knows no configuration space; what is in it is made up here: a MAC address, and the link, which is up
 * while there is a back-end.
 *
 * <p>Where the back-end goes away, {@link #disconnect} and {@link #connect} make contact again; the queues are to be
 * enabled anew. Thread-safe: what is said of the state of things waits for nobody, while the rest may wait for the back-end.
 */
public final class VhostUserTransport implements VhostTransport {

    private static final System.Logger LOG = System.getLogger(VhostUserTransport.class.getName());

    /** What the protocol has no word for: the front-end has to bring it itself. */
    public static final long OWN_FEATURES =
            Feature.VIRTIO_NET_F_MAC.mask() | Feature.VIRTIO_NET_F_STATUS.mask() | Feature.VIRTIO_F_RING_RESET.mask();

    /**
     * What passes between driver and back-end without the transport's having a part in it: the layout of rings and of
     * headers. ACCESS_PLATFORM is not among it, since it would ask for an IOMMU of the front-end's.
     */
    public static final long PASSED_FEATURES = Feature.VIRTIO_F_VERSION_1.mask()
            | Feature.VIRTIO_F_RING_PACKED.mask()
            | Feature.VIRTIO_F_IN_ORDER.mask()
            | Feature.VIRTIO_F_ORDER_PLATFORM.mask()
            | Feature.VIRTIO_F_EVENT_IDX.mask()
            | Feature.VIRTIO_F_INDIRECT_DESC.mask()
            | Feature.VIRTIO_NET_F_MQ.mask()
            | Feature.VIRTIO_NET_F_MRG_RXBUF.mask()
            | Feature.VIRTIO_NET_F_CSUM.mask()
            | Feature.VIRTIO_NET_F_GUEST_CSUM.mask()
            | Feature.VIRTIO_NET_F_HOST_TSO4.mask()
            | Feature.VIRTIO_NET_F_HOST_TSO6.mask()
            | Feature.VIRTIO_NET_F_HOST_ECN.mask()
            | Feature.VIRTIO_NET_F_HOST_USO.mask()
            | Feature.VIRTIO_NET_F_GUEST_TSO4.mask()
            | Feature.VIRTIO_NET_F_GUEST_TSO6.mask()
            | Feature.VIRTIO_NET_F_GUEST_ECN.mask()
            | Feature.VIRTIO_NET_F_GUEST_USO4.mask()
            | Feature.VIRTIO_NET_F_GUEST_USO6.mask()
            | Feature.VIRTIO_NET_F_GUEST_HDRLEN.mask();

    /** The protocol sets no limit; the specification does (2.6). */
    private static final int LARGEST_QUEUE = 32768;
    /** Queues have numbers below 256: {@link VhostProtocol#QUEUE_MASK}. */
    private static final int MOST_PAIRS = 128;

    private static final int STATE_BYTES = 8;

    // Fields of the configuration (5.1.4).
    private static final int CONFIG_STATUS = 6;
    private static final int CONFIG_MAX_QUEUE_PAIRS = 8;
    private static final int CONFIG_SIZE = 10;

    private record Queue(EventFd kick, EventFd call) {}

    private final Kernel kernel;
    private final String path;
    private final MacAddress mac;
    private final Duration patience;
    private final VhostUserDmaSpace dma = new VhostUserDmaSpace(this::memoryChanged);
    private final Map<Integer, Queue> queues = new ConcurrentHashMap<>();
    private final Set<Integer> enabled = new LinkedHashSet<>();
    /** The back-end's way to say that it has met an error; null before it has a queue. */
    private volatile @Nullable EventFd errors;

    /** Back-ends that may still be at their queues, as far as is known. */
    private final List<VhostStraggler> stragglers = new ArrayList<>();
    /** Those of them that were not taken yet. */
    private final List<VhostStraggler> leftBehind = new ArrayList<>();

    private volatile @Nullable VhostConnection connection;
    /** One that the back-end has not answered on yet; nobody is connected by it. */
    private volatile @Nullable VhostConnection beingMade;
    /** No contact is wanted any more. */
    private volatile boolean abandoned;

    private volatile long features;
    private volatile long protocol;
    private volatile int queueCount;
    private long driverFeatures;
    private volatile int status;
    /** Whether the back-end has said that it met an error. */
    private volatile boolean failed;

    private int generation;
    /** What the back-end knows of; nothing before the first queue is enabled. */
    private final VhostAnnouncedMemory announced;

    /**
     * Connects to a back-end.
     *
     * @throws DoorbellException when nobody listens there, or it is no back-end that this driver can use
     */
    public VhostUserTransport(Kernel kernel, String path, MacAddress mac) {
        this(kernel, path, mac, VhostConnection.PATIENCE);
    }

    /** As the other one; {@code patience} is how long the back-end may take to answer. */
    public VhostUserTransport(Kernel kernel, String path, MacAddress mac, Duration patience) {
        this.patience = patience;
        this.kernel = kernel;
        this.path = path;
        this.mac = mac;
        this.announced = new VhostAnnouncedMemory(path);
        connect();
    }

    // ---- The connection

    @Override
    public synchronized void connect() {
        VhostConnection fresh = new VhostConnection(kernel, "the vhost-user back-end at " + path, dial(), patience);
        beingMade = fresh;
        try {
            if (abandoned) {
                throw new VhostDisconnected("the vhost-user back-end at " + path + " is not wanted any more");
            }
            shakeHands(fresh);
            connection = fresh;
        } catch (RuntimeException e) {
            fresh.close();
            throw e;
        } finally {
            beingMade = null;
        }
        generation++;
    }

    private void shakeHands(VhostConnection fresh) {
        protocol = 0;
        fresh.send(VhostRequest.SET_OWNER, 0, VhostMessage.empty(), List.of());
        features = firstAnswer(fresh);
        if ((features & VhostProtocol.PROTOCOL_FEATURES) != 0) {
            long agreed = askNumber(fresh, VhostRequest.GET_PROTOCOL_FEATURES) & VhostProtocol.KNOWN;
            fresh.send(VhostRequest.SET_PROTOCOL_FEATURES, 0, VhostMessage.number(agreed), List.of());
            protocol = agreed;
        }
        if (!Feature.VIRTIO_F_VERSION_1.isIn(features)) {
            throw new DoorbellException("the vhost-user back-end at " + path + " does not offer "
                    + Feature.VIRTIO_F_VERSION_1 + ", only " + Feature.describe(features)
                    + ": it speaks legacy virtio, and a newer one is needed");
        }
        if (has(VhostProtocol.MQ)) {
            // In pairs of a receive and a transmit queue.
            queueCount = 2 * (int) Math.clamp(askNumber(fresh, VhostRequest.GET_QUEUE_NUM), 1L, MOST_PAIRS);
        } else {
            queueCount = 2;
            features &= ~Feature.VIRTIO_NET_F_MQ.mask();
        }
    }

    private static long firstAnswer(VhostConnection fresh) {
        try {
            return askNumber(fresh, VhostRequest.GET_FEATURES);
        } catch (VhostTimeout e) {
            throw new DoorbellException(
                    e.getMessage() + ": another front-end may hold it, since a back-end serves one at a time; or its"
                            + " process hangs, or is stopped; or who listens there is no back-end ('ss -xp' says who does)",
                    e);
        }
    }

    private UnixSocket dial() {
        try {
            return UnixSocket.connect(kernel, path);
        } catch (KernelException e) {
            throw new DoorbellException(
                    "cannot reach a vhost-user back-end at " + path + ": " + e.reason() + remedy(e, path), e);
        }
    }

    private static String remedy(KernelException e, String path) {
        return switch (e.errno()) {
            case ENOENT -> "; start the back-end first, with this path as its socket";
            case ECONNREFUSED -> refused(Path.of(path));
            case EACCES, EPERM -> "; this user needs the right to write to the socket and to enter its folders";
            case EAGAIN -> "; it has more connections waiting than it takes: is it serving another front-end?";
            default -> "";
        };
    }

    /** What Linux says of a socket that nobody listens on, it says of all that is no socket. */
    private static String refused(Path path) {
        if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
            return "; nobody listens there any more: start the back-end again";
        }
        return "; that is a " + (Files.isDirectory(path) ? "folder" : "file")
                + " and not a socket: name the socket that the back-end listens on";
    }

    @Override
    public synchronized void disconnect() {
        VhostConnection last = connection;
        if (last == null) {
            return;
        }
        connection = null;
        announced.forget();
        generation++;
        boolean mayWrite = !enabled.isEmpty() && !last.hasHungUp();
        enabled.clear();
        if (mayWrite) {
            leaveBehind(last);
        } else {
            last.close();
        }
    }

    /** It may go on with what it was given, so nothing of that is given to another. */
    private void leaveBehind(VhostConnection last) {
        LOG.log(
                Level.WARNING,
                "the vhost-user back-end at {0} is let go of, and may still write to the buffers that it has: they are"
                        + " withheld until it hangs up or ends",
                path);
        List<EventFd> events = new ArrayList<>();
        queues.values().forEach(queue -> {
            events.add(queue.kick);
            events.add(queue.call);
        });
        queues.clear();
        if (errors != null) {
            events.add(errors);
            errors = null;
        }
        dma.startAfresh();
        VhostStraggler straggler = new VhostStraggler(last, events);
        stragglers.add(straggler);
        leftBehind.add(straggler);
    }

    @Override
    public synchronized @Nullable Straggler takeStraggler() {
        stragglers.removeIf(VhostStraggler::isGone);
        if (leftBehind.isEmpty()) {
            return null;
        }
        List<VhostStraggler> taken = List.copyOf(leftBehind);
        leftBehind.clear();
        return () -> taken.stream().allMatch(VhostStraggler::isGone);
    }

    @Override
    public boolean isConnected() {
        return connection != null;
    }

    @Override
    public boolean awaitHangUp(EventFd early, int timeoutMillis) {
        VhostConnection current = connection;
        return current == null || current.awaitHangUp(early, timeoutMillis);
    }

    @Override
    public void abandon() {
        abandoned = true;
        hangUp(beingMade);
        hangUp(connection);
    }

    private static void hangUp(@Nullable VhostConnection current) {
        if (current != null) {
            current.hangUp();
        }
    }

    private boolean has(long protocolFeature) {
        return (protocol & protocolFeature) != 0;
    }

    private VhostConnection connection() {
        VhostConnection current = connection;
        if (current == null) {
            throw new VhostDisconnected("there is no vhost-user back-end at " + path + " at present");
        }
        return current;
    }

    /** Asks, and lets go of a back-end that does not answer, or not as it should: what it is at nobody knows. */
    private ByteBuffer ask(VhostRequest request, int flags, ByteBuffer payload, List<Integer> files, int bytes) {
        try {
            return connection().ask(request, flags, payload, files, bytes);
        } catch (RuntimeException e) {
            disconnect();
            throw e;
        }
    }

    private void send(VhostRequest request, ByteBuffer payload, List<Integer> files) {
        try {
            connection().send(request, 0, payload, files);
        } catch (RuntimeException e) {
            disconnect();
            throw e;
        }
    }

    private static long askNumber(VhostConnection connection, VhostRequest request) {
        return connection
                .ask(request, 0, VhostMessage.empty(), List.of(), Long.BYTES)
                .getLong(0);
    }

    /** Sends a request that changes something, and makes sure that it was heeded where the back-end says so. */
    private void announce(VhostRequest request, ByteBuffer payload, List<Integer> files) {
        if (!has(VhostProtocol.REPLY_ACK)) {
            send(request, payload, files);
            return;
        }
        long result = ask(request, VhostMessage.NEED_REPLY, payload, files, Long.BYTES)
                .getLong(0);
        if (result != 0) {
            throw new DoorbellException("the vhost-user back-end at " + path + " refuses " + request + " (result "
                    + result + "): its own log says why");
        }
    }

    // ---- 2.1 device status

    @Override
    public String description() {
        return "vhost-user";
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    /** Threads that poll ask, so this waits for nothing and nobody. */
    @Override
    public int status() {
        EventFd current = errors;
        if (current != null && current.clear()) {
            failed = true;
        }
        return failed ? status | DeviceStatus.DEVICE_NEEDS_RESET : status;
    }

    @Override
    public synchronized void addStatus(int bits) {
        status = status | bits;
        if (has(VhostProtocol.STATUS) && isConnected()) {
            announce(VhostRequest.SET_STATUS, VhostMessage.number(status), List.of());
            if ((bits & DeviceStatus.FEATURES_OK) != 0) {
                status = (int) ask(VhostRequest.GET_STATUS, 0, VhostMessage.empty(), List.of(), Long.BYTES)
                        .getLong(0);
            }
        }
    }

    @Override
    public synchronized void reset() {
        status = 0;
        if (errors != null) {
            errors.clear();
        }
        failed = false;
        if (!isConnected()) {
            return;
        }
        try {
            for (int index : List.copyOf(enabled)) {
                resetQueue(index);
            }
            if (has(VhostProtocol.RESET_DEVICE)) {
                announce(VhostRequest.RESET_DEVICE, VhostMessage.empty(), List.of());
            }
            if (has(VhostProtocol.STATUS)) {
                announce(VhostRequest.SET_STATUS, VhostMessage.number(0), List.of());
            }
        } catch (VhostDisconnected e) {
            disconnect(); // which is a reset, too
        } catch (DoorbellException e) {
            LOG.log(Level.WARNING, "{0}; instead of being reset, it is let go of", e.getMessage());
            disconnect();
        }
    }

    /** The back-end keeps its mappings; what it does with them only the state of the queues says. */
    @Override
    public void allowDma(boolean allowed) {}

    // ---- 2.2 features

    @Override
    public synchronized long deviceFeatures() {
        return (features & PASSED_FEATURES) | OWN_FEATURES;
    }

    @Override
    public synchronized void driverFeatures(long negotiated) {
        driverFeatures = negotiated;
        long known = features & ((negotiated & PASSED_FEATURES) | VhostProtocol.PROTOCOL_FEATURES);
        announce(VhostRequest.SET_FEATURES, VhostMessage.number(known), List.of());
    }

    /** VHOST_USER_SET_VRING_ENABLE says which queues are used. */
    @Override
    public long withoutCommands() {
        return Feature.VIRTIO_NET_F_MQ.mask();
    }

    @Override
    public boolean isModern() {
        return true;
    }

    // ---- 2.5 device configuration space (5.1.4)

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public int config8(int offset) {
        if (offset < CONFIG_STATUS) {
            return mac.octet(offset);
        }
        return switch (offset) {
            case CONFIG_STATUS -> isConnected() ? 1 : 0;
            case CONFIG_MAX_QUEUE_PAIRS -> queueCount / 2;
            default -> 0;
        };
    }

    @Override
    public int config16(int offset) {
        return config8(offset) | config8(offset + 1) << 8;
    }

    @Override
    public int config32(int offset) {
        return config16(offset) | config16(offset + 2) << 16;
    }

    @Override
    public synchronized int configGeneration() {
        return generation;
    }

    // ---- 2.6 virtqueues

    @Override
    public synchronized int queues() {
        return queueCount;
    }

    @Override
    public int queueMaxSize(int index) {
        return index < queues() ? LARGEST_QUEUE : 0;
    }

    @Override
    public String remedyForQueues(int pairs) {
        return "ask for fewer, or open the back-end with more (DPDK: net_vhost's option queues=" + pairs
                + "; Doorbell: vhost-user-backend:PATH,queues=" + pairs + ")";
    }

    @Override
    public boolean queueSizeIsFixed() {
        return false;
    }

    @Override
    public synchronized Doorbell enableQueue(int index, QueueAddresses at) {
        announceMemory();
        EventFd ownErrors = errors;
        if (ownErrors == null) {
            ownErrors = EventFd.create(kernel);
            errors = ownErrors;
        }
        Queue queue = queues.computeIfAbsent(index, i -> new Queue(EventFd.create(kernel), EventFd.create(kernel)));
        queue.kick.clear(); // what an earlier back-end has not heard
        boolean packed = Feature.VIRTIO_F_RING_PACKED.isIn(driverFeatures);
        announce(VhostRequest.SET_VRING_NUM, VhostMessage.state(index, at.size()), List.of());
        announce(
                VhostRequest.SET_VRING_BASE,
                VhostMessage.state(index, packed ? VhostProtocol.PACKED_START : 0),
                List.of());
        ByteBuffer addresses = VhostMessage.bytes(40)
                .putInt(index)
                .putInt(0) // no log
                .putLong(at.descriptorArea())
                .putLong(at.deviceArea())
                .putLong(at.driverArea());
        announce(VhostRequest.SET_VRING_ADDR, addresses, List.of());
        announce(VhostRequest.SET_VRING_CALL, VhostMessage.number(index), List.of(queue.call.fd()));
        announce(VhostRequest.SET_VRING_ERR, VhostMessage.number(index), List.of(ownErrors.fd()));
        enabled.add(index); // before it can know
        announce(VhostRequest.SET_VRING_KICK, VhostMessage.number(index), List.of(queue.kick.fd()));
        return doorbell(queue.kick);
    }

    @Override
    public boolean canInterrupt(int pairs) {
        return true;
    }

    @Override
    public @Nullable EventFd interrupt(int index) {
        Queue queue = queues.get(index);
        return queue == null ? null : queue.call;
    }

    /** With frames on their way already, a ring that is empty would lose them. */
    @Override
    public synchronized void startQueue(int index) {
        if ((features & VhostProtocol.PROTOCOL_FEATURES) != 0) {
            announce(VhostRequest.SET_VRING_ENABLE, VhostMessage.state(index, 1), List.of());
        }
    }

    /** By one expression for all: so it is of one class, which the JIT may know from a warm-up. */
    public static Doorbell doorbell(EventFd kick) {
        return kick::signal;
    }

    /** Takes the ring back: the back-end answers when it has let go of it. */
    @Override
    public synchronized void resetQueue(int index) {
        if ((features & VhostProtocol.PROTOCOL_FEATURES) != 0) {
            announce(VhostRequest.SET_VRING_ENABLE, VhostMessage.state(index, 0), List.of());
        }
        ask(VhostRequest.GET_VRING_BASE, 0, VhostMessage.state(index, 0), List.of(), STATE_BYTES);
        enabled.remove(index);
    }

    // ---- Memory

    /** A region came or went. Before the first queue is enabled, and without a back-end, that can wait. */
    private synchronized void memoryChanged() {
        if (announced.size() > 0 && isConnected()) {
            try {
                announceMemory();
            } catch (DoorbellException e) {
                LOG.log(Level.DEBUG, "the next back-end will be told of the memory that there is", e);
                disconnect();
            }
        }
    }

    private void announceMemory() {
        announced.update(dma.shared(), has(VhostProtocol.CONFIGURE_MEM_SLOTS), this::announce);
    }

    // ---- The rest

    @Override
    public List<RegisterValue> registers() {
        String section = "vhost-user";
        return List.of(
                value("features[0]", (int) features, section, Feature.describe(features & 0xffff_ffffL)),
                value("features[1]", (int) (features >>> 32), section, Feature.describe(features & ~0xffff_ffffL)),
                value("protocol_features", (int) protocol, section, ""),
                value("queues", queueCount, section, ""),
                value("memory_regions", announced.size(), section, ""),
                value("status", status, "2.1", DeviceStatus.describe(status)));
    }

    private static RegisterValue value(String name, int value, String section, String decoded) {
        return new RegisterValue(name, 0, OptionalInt.of(value), section, decoded);
    }

    @Override
    public synchronized void close() {
        Cleanup cleanup = new Cleanup().then(this::disconnect).then(dma::close);
        for (Queue queue : queues.values()) {
            cleanup.then(queue.kick::close).then(queue.call::close);
        }
        queues.clear();
        stragglers.forEach(straggler -> cleanup.then(straggler::close));
        if (errors != null) {
            cleanup.then(errors::close);
        }
        cleanup.end();
    }
}
