package io.doorbell.virtio.warmup;

import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.frame.warmup.SimulatedQueue;
import io.doorbell.pci.PciId;
import io.doorbell.pci.simulated.MemoryFunction;
import io.doorbell.virtio.spec.DeviceStatus;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;
import io.doorbell.virtio.transport.PciDoorbell;
import io.doorbell.virtio.vhost.frontend.VhostTransport;
import io.doorbell.virtio.vhost.frontend.VhostUserTransport;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * To a device that this process plays. All that the hot path touches is of the classes that it has with a real device:
 * memory, and doorbells, which nobody hears.
 */
final class SimulatedTransport implements VhostTransport {

    private static final int LARGEST_QUEUE = 32768;

    // Fields of the configuration (5.1.4).
    private static final int CONFIG_STATUS = 6;
    private static final int CONFIG_MAX_QUEUE_PAIRS = 8;
    private static final int CONFIG_SIZE = 10;

    private final MemoryFunction function = new MemoryFunction(new PciId(0x1af4, 0x1041));
    private final MacAddress mac = MacAddress.randomLocal();
    private final long offered;
    private final int pairs;
    /** Of a vhost-user back-end's queues; null for PCI. */
    private final @Nullable EventFd kick;

    /** As {@link VhostUserTransport} has, with nobody to signal it; null for PCI. */
    private final @Nullable EventFd errors;

    private final List<SimulatedQueue> receivers = new ArrayList<>();
    private final List<SimulatedQueue> transmitters = new ArrayList<>();
    private Features features = new Features(0, 0);
    private int status;

    /**
     * @param offered the device's features
     * @param pairs of queues that the device has
     * @param vhost whether it is a vhost-user back-end, else a PCI device
     */
    SimulatedTransport(long offered, int pairs, boolean vhost) {
        this.offered = offered;
        this.pairs = pairs;
        this.kick = vhost ? EventFd.create(Kernel.linux()) : null;
        this.errors = vhost ? EventFd.create(Kernel.linux()) : null;
    }

    /** The device's sides of the receive queues that are enabled. */
    List<SimulatedQueue> receivers() {
        return receivers;
    }

    /** The device's sides of the transmit queues that are enabled. */
    List<SimulatedQueue> transmitters() {
        return transmitters;
    }

    @Override
    public String description() {
        return "simulated";
    }

    @Override
    public DmaSpace dma() {
        return function.dma();
    }

    // ---- 2.1 device status

    @Override
    public int status() {
        if (errors != null && errors.clear()) {
            status |= DeviceStatus.DEVICE_NEEDS_RESET;
        }
        return status;
    }

    @Override
    public void addStatus(int bits) {
        status |= bits;
    }

    @Override
    public void reset() {
        status = 0;
        receivers.clear();
        transmitters.clear();
    }

    @Override
    public void allowDma(boolean allowed) {}

    // ---- 2.2 features

    @Override
    public long deviceFeatures() {
        return offered;
    }

    @Override
    public void driverFeatures(long negotiated) {
        features = new Features(offered, negotiated);
    }

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
            case CONFIG_STATUS -> 1;
            case CONFIG_MAX_QUEUE_PAIRS -> pairs;
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
    public int configGeneration() {
        return 0;
    }

    // ---- 2.6 virtqueues

    @Override
    public int queues() {
        return 2 * pairs;
    }

    @Override
    public int queueMaxSize(int index) {
        return index < queues() ? LARGEST_QUEUE : 0;
    }

    @Override
    public boolean queueSizeIsFixed() {
        return false;
    }

    @Override
    public Doorbell enableQueue(int index, QueueAddresses queue) {
        MemorySegment memory = function.dma().at(queue.descriptorArea());
        SimulatedQueue simulated = features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new SimulatedPackedQueue(memory, queue, features)
                : new SimulatedSplitQueue(memory, queue, features);
        List<SimulatedQueue> alike = index % 2 == 0 ? receivers : transmitters;
        if (index / 2 < alike.size()) {
            alike.set(index / 2, simulated);
        } else {
            alike.add(simulated); // queues are enabled in the order of their numbers
        }
        return kick == null ? new PciDoorbell(function.bar(0), 0, index) : VhostUserTransport.doorbell(kick);
    }

    @Override
    public void resetQueue(int index) {}

    @Override
    public List<RegisterValue> registers() {
        return List.of();
    }

    @Override
    public void close() {
        function.close();
        if (kick != null) {
            kick.close();
        }
        if (errors != null) {
            errors.close();
        }
    }

    // ---- The back-end, which never goes

    @Override
    public void connect() {}

    @Override
    public void disconnect() {}

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public void abandon() {}

    /** Whoever signals the event wakes the thread, too. */
    @Override
    public boolean awaitHangUp(EventFd early, int timeoutMillis) {
        LockSupport.park();
        return false;
    }
}
