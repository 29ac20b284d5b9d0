package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.event.QueueStop;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One of a back-end's queues: what the front-end has said of it, and the ring once it has said enough. Everything here
 * changes behind the gate, which is shut by the thread that serves the front-end.
 */
public final class VhostBackendQueue implements AutoCloseable {

    /** Bytes in the header of a frame (5.1.6), with VIRTIO_F_VERSION_1. */
    public static final int HEADER = NetHeader.BYTES;

    private static final int LARGEST = 32768;

    public final PollGate gate;
    final QueueCounters counters = new QueueCounters();

    private final Kernel kernel;
    private final String name;
    private final Consumer<String> complain;

    // What SET_VRING_… said.
    private int size;
    private int base;
    private long descriptorAddress;
    private long driverAddress;
    private long deviceAddress;
    private boolean hasAddresses;
    private boolean kicked;
    private boolean enabled;
    private volatile @Nullable EventFd kick;
    private @Nullable EventFd call;
    private @Nullable EventFd error;

    /** Whether the front-end has said where a ring starts, and none has started there yet. */
    private boolean startsAnew;
    /** Whether a ring that has run waits for memory that was taken from under it. */
    private boolean parked;

    private @Nullable DeviceRing ring;
    /** Changes with the gate shut, and is asked for outside of it too. */
    private volatile Features features = new Features(0, 0);

    private boolean running;
    /** Whether the front-end lied: nothing more is read from the ring. */
    private boolean broken;

    private volatile boolean up;

    /** Tells {@code complain} when the front-end has done what it must not, on the thread that polls. */
    public VhostBackendQueue(Kernel kernel, String name, Consumer<String> complain) {
        this.kernel = kernel;
        this.name = name;
        this.gate = new PollGate(name);
        this.complain = complain;
    }

    // ---- Inside the gate: the thread that polls

    /** The ring; null while there is none to be used. */
    @Nullable
    public DeviceRing ring() {
        if (!running) {
            throw new IllegalStateException(name + " is stopped");
        }
        return ring;
    }

    /** What was agreed on with the front-end whose ring it is. */
    Features features() {
        return features;
    }

    public void publish(DeviceRing used) {
        if (used.publish() && call != null) {
            counters.kicks++;
            try {
                call.signal();
            } catch (KernelException e) {
                throw new BrokenDeviceException(
                        name + ": the front-end cannot be told of what was used: " + e.getMessage());
            }
        }
    }

    /** Stops the queue for what the front-end did, and says what the application is to be told. */
    BrokenDeviceException broken(Throwable cause) {
        broken = true;
        ring = null;
        up = false;
        try {
            MemoryFaults.settle();
        } catch (InternalError e) {
            // of the same poll as the cause, which it may have led to
        }
        String what = cause instanceof BrokenDeviceException
                ? String.valueOf(cause.getMessage())
                : name + ": the front-end took memory away that it had shared";
        if (error != null) {
            try {
                error.signal();
            } catch (KernelException e) {
                what += ", and it cannot be told so: " + e.getMessage();
            }
        }
        QueueStop.report(name, what);
        complain.accept(what);
        return new BrokenDeviceException(what + "; it is disconnected");
    }

    /** Whether the NIC runs, with a front-end or without. */
    boolean runs() {
        return running;
    }

    // ---- With the gate shut: the thread that serves the front-end

    public void run(boolean on) {
        running = on;
    }

    void size(int entries) {
        requireStopped();
        if (entries < 1 || entries > LARGEST) {
            throw new DoorbellException(name + ": the front-end asks for " + Integer.toUnsignedString(entries)
                    + " entries; possible are 1 to " + LARGEST);
        }
        size = entries;
    }

    void base(int value) {
        requireStopped();
        base = value;
        startsAnew = true;
    }

    void addresses(long descriptors, long driver, long device) {
        requireStopped();
        descriptorAddress = descriptors;
        driverAddress = driver;
        deviceAddress = device;
        hasAddresses = true;
        parked = false;
    }

    private void requireStopped() {
        if (ring != null) {
            throw new DoorbellException(name + ": the front-end changes a ring that runs, without GET_VRING_BASE");
        }
    }

    /** SET_VRING_KICK starts a ring, even where its file will never be signalled, or where there is none. */
    void kick(@Nullable EventFd event) {
        closeQuietly(kick);
        kick = event;
        kicked = true;
    }

    /** What the front-end tells by of the buffers that it makes available; any thread may ask. */
    @Nullable
    EventFd kick() {
        return kick;
    }

    void enabled(boolean on) {
        enabled = on;
    }

    void call(@Nullable EventFd event) {
        closeQuietly(call);
        call = event;
    }

    void error(@Nullable EventFd event) {
        closeQuietly(error);
        error = event;
    }

    /**
     * Makes the ring, if all is said that there is to say and it is enabled; else takes it away.
     *
     * @param moved whether the front-end has just changed what memory it shares, in steps between which a ring may be
     *     without memory: it waits then, and goes on where it was
     */
    void update(VhostMemory memory, Features agreed, boolean allowed, boolean moved) {
        DeviceRing current = ring;
        if (current != null) {
            base = current.base();
            ring = null;
        }
        if (!allowed || size == 0 || !hasAddresses || !kicked || !enabled || broken || memory.size() == 0) {
            return;
        }
        DeviceRing fresh;
        try {
            fresh = ring(memory, agreed);
        } catch (VhostMemoryMissing e) {
            if (!moved && !parked) {
                throw e;
            }
            parked = true;
            return;
        }
        if (startsAnew) {
            fresh.resume();
        }
        fresh.start();
        MemoryFaults.settle();
        startsAnew = false;
        parked = false;
        features = agreed;
        ring = fresh;
    }

    private DeviceRing ring(VhostMemory memory, Features agreed) {
        if (agreed.has(Feature.VIRTIO_F_RING_PACKED)) {
            return new PackedDeviceRing(
                    name, size, memory, agreed, descriptorAddress, driverAddress, deviceAddress, base);
        }
        if (Integer.bitCount(size) != 1) {
            throw new DoorbellException(name + ": the front-end asks for a split ring of " + size
                    + " entries, which is not a power of two");
        }
        return new SplitDeviceRing(name, size, memory, agreed, descriptorAddress, driverAddress, deviceAddress, base);
    }

    boolean hasRing() {
        return ring != null;
    }

    /** Says to all threads whether frames can pass, once the gate is open. */
    void show(boolean canPass) {
        up = canPass;
    }

    /** Whether frames can pass; any thread may ask. */
    boolean isUp() {
        return up;
    }

    /** GET_VRING_BASE: stops the ring and says where it stopped. */
    int stop() {
        DeviceRing current = ring;
        if (current != null) {
            base = current.base();
            ring = null;
        }
        kicked = false;
        parked = false;
        return base;
    }

    /** Forgets all that the front-end said. */
    void forget() {
        ring = null;
        size = 0;
        base = 0;
        startsAnew = false;
        parked = false;
        hasAddresses = false;
        kicked = false;
        enabled = false;
        broken = false;
        closeQuietly(kick);
        kick = null;
        call(null);
        error(null);
    }

    private void closeQuietly(@Nullable EventFd event) {
        if (event != null) {
            event.close();
        }
    }

    EventFd adopt(int fd) {
        return EventFd.adopt(kernel, fd);
    }

    @Override
    public void close() {
        forget();
    }
}
