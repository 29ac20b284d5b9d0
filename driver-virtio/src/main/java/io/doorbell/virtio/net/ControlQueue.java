package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaRegion;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.queue.ChainRing;
import io.doorbell.virtio.queue.DeviceHealth;
import io.doorbell.virtio.queue.PackedChainRing;
import io.doorbell.virtio.queue.SplitChainRing;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.spec.QueueAddresses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The queue by which a driver tells a network device what to do (5.1.6.5): one command at a time, each answered before
 * the next. A command is a chain of its class and number, its data, and a byte for the device's answer:
 *
 * <pre>
 *   0    class (8) | command (8)
 *   2    answer (8): 0 is yes, 1 is no
 *   16   data
 * </pre>
 *
 * <p>One thread at a time.
 */
final class ControlQueue {

    static final int SMALLEST = 4;
    /** As many descriptors as a sequence of commands can be in need of, and more. */
    static final int SIZE = 64;

    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final int COMMAND = 0;
    private static final int ANSWER = 2;
    private static final int DATA = 16;
    private static final int BYTES = 4096;

    private static final byte OK = 0;
    private static final byte REFUSED = 1;
    /** No answer. */
    private static final byte NONE = (byte) 0xff;

    private final String name;
    private final Features features;
    private final DeviceHealth health;
    private final Duration patience;
    private final DmaRegion memory;
    private final ChainRing ring;
    private final QueueCounters counters = new QueueCounters();
    /** Whether there is a device that listens. */
    private boolean started;
    /** Whether the next command can go. */
    private boolean running;

    /**
     * @param size descriptors, at least {@link #SMALLEST}; a power of two for a split ring
     * @param patience how long a command may take
     */
    ControlQueue(String name, DmaSpace space, int size, Features features, DeviceHealth health, Duration patience) {
        this.name = name;
        this.features = features;
        this.health = health;
        this.patience = patience;
        this.memory = space.allocate(BYTES);
        boolean eventIndex = features.has(Feature.VIRTIO_F_EVENT_IDX);
        this.ring = features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedChainRing(name, space, size, eventIndex, counters)
                : new SplitChainRing(name, space, size, eventIndex, counters);
    }

    /** Bytes of data that a command can have. */
    static int capacity() {
        return BYTES - DATA;
    }

    /**
     * Gives a command and waits for the answer.
     *
     * @throws DoorbellException when the device refuses it, or does not answer in time
     * @throws BrokenDeviceException when it answers something that is no answer; the queue has then stopped
     */
    void command(ControlCommand command, byte... data) {
        if (!features.has(command.feature())) {
            throw new DoorbellException(
                    name + ": cannot give " + command + ", since " + command.feature() + " is not in use");
        }
        if (!running) {
            throw new DoorbellException(name + " is stopped, so it cannot give " + command + ": use Nic.reset");
        }
        put(command, data);
        // Until it has come back, the chain is the device's: no other command can go.
        running = false;
        BoundedWait.require(
                name + " to answer " + command,
                this::answered,
                patience,
                () -> "the device has not returned the command; use Nic.reset");
        byte answer = memory.segment().get(ValueLayout.JAVA_BYTE, ANSWER);
        if (answer != OK && answer != REFUSED) {
            throw new BrokenDeviceException(name + ": the device answered " + command + " with " + (answer & 0xff)
                    + ", which is neither yes (0) nor no (1); the queue has stopped");
        }
        running = true;
        counters.frames++;
        if (answer == REFUSED) {
            throw new DoorbellException(
                    name + ": the device refused " + command + " with " + data.length + " bytes of data: " + hex(data));
        }
    }

    /** As {@link #command}, for what a device is told whenever it starts: while it is stopped, that is early enough. */
    void setting(ControlCommand command, byte... data) {
        if (started) {
            command(command, data);
        }
    }

    private void put(ControlCommand command, byte[] data) {
        MemorySegment segment = memory.segment();
        segment.set(ValueLayout.JAVA_BYTE, COMMAND, (byte) command.commandClass());
        segment.set(ValueLayout.JAVA_BYTE, COMMAND + 1, (byte) command.number());
        segment.set(ValueLayout.JAVA_BYTE, ANSWER, NONE);
        MemorySegment.copy(data, 0, segment, ValueLayout.JAVA_BYTE, DATA, data.length);
        long address = memory.deviceAddress();
        List<ChainRing.Part> chain = new ArrayList<>(ChainRing.LONGEST);
        chain.add(new ChainRing.Part(address + COMMAND, 2, false));
        if (data.length > 0) {
            chain.add(new ChainRing.Part(address + DATA, data.length, false));
        }
        chain.add(new ChainRing.Part(address + ANSWER, 1, true));
        ring.put(chain);
    }

    private boolean answered() {
        if (ring.done()) {
            return true;
        }
        health.check();
        return false;
    }

    /** The first of them, which is where a command's numbers are. */
    private static String hex(byte[] data) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(data.length, 16); i++) {
            text.append(i == 0 ? "" : " ").append(String.format("%02x", data[i]));
        }
        return data.length > 16 ? text + " …" : text.toString();
    }

    /** Where the device is to find it. */
    QueueAddresses addresses() {
        return ring.addresses();
    }

    /** Empties the queue's memory, as the device expects to find it when the queue is enabled. */
    void prepare() {
        ring.prepare();
    }

    void start(Doorbell doorbell) {
        ring.start(doorbell);
        started = true;
        running = true;
    }

    void stop() {
        started = false;
        running = false;
    }

    /** {@code frames} counts commands. */
    QueueCounters counters() {
        return counters;
    }
}
