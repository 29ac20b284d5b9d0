package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.spi.NicLife;
import io.doorbell.frame.spi.PoolNeeds;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.igb.ring.IgbRxRing;
import io.doorbell.igb.ring.IgbTxRing;
import io.doorbell.igb.ring.RxFormat;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.RingRegisters;
import io.doorbell.pci.Bar;
import java.util.ArrayList;
import java.util.List;

/** The rings of a NIC, in pairs of one receive and one transmit queue, and the pools that they use. */
public final class IgbQueues {

    /**
     * The device that they are of.
     *
     * @param type what it is called in messages, with an article
     * @param pairs that it has at most
     * @param registers where it has those of its rings
     * @param stamps whether it can say when a frame left
     */
    public record Device(String type, int pairs, RingRegisters registers, boolean stamps) {

        /** A port of this model. */
        static Device port(IgbModel model) {
            return new Device("an " + model, model.queues(), IgbRegisters.RINGS, true);
        }
    }

    private static final int SMALLEST_RING = 64;
    private static final int LARGEST_RING = 4096;
    /** RDLEN and TDLEN count in units of 128 bytes (8.10, 8.12). */
    private static final int RING_STEP = 8;

    private final String name;
    private final NicConfig config;
    private final PoolRegistrations pools;
    private final RxFormat format;
    private final List<IgbRxRing> rx = new ArrayList<>();
    private final List<IgbTxRing> tx = new ArrayList<>();

    /**
     * Makes as many pairs as {@code config} asks for.
     *
     * @throws DoorbellException when the device has fewer, or other rings
     */
    public IgbQueues(String name, Device device, NicConfig config, boolean hashes, Bar bar, DmaSpace dma) {
        int pairs = config.queues();
        if (pairs > device.pairs()) {
            throw new DoorbellException(device.type() + " has "
                    + (device.pairs() == 1 ? "one queue" : device.pairs() + " queues") + " in each direction, and"
                    + " NicConfig.withQueues asks for " + pairs + ": ask for fewer");
        }
        checkRing("receive", config.rxRingSize());
        checkRing("transmit", config.txRingSize());
        this.name = name;
        this.config = config;
        this.pools = new PoolRegistrations(name, dma);
        PoolNeeds needs = new PoolNeeds("an igb", RxFormat.SMALLEST_ROOM, config.rxRingSize() + config.txRingSize());
        pools.provide(config, pairs, needs);
        this.format = RxFormat.of(config, pools.pool(0).bufferSize(), hashes);
        SendLimits limits = IgbTxRing.limits(format, device.stamps());
        for (int pair = 0; pair < pairs; pair++) {
            int slot = Math.min(pair, pools.size() - 1);
            rx.add(new IgbRxRing(
                    name + " receive queue " + pair,
                    bar,
                    device.registers().rdt().at(pair),
                    dma.allocate(IgbRxRing.bytes(config.rxRingSize())),
                    config.rxRingSize(),
                    pools.pool(slot),
                    pools.deviceAddress(slot),
                    format));
            tx.add(new IgbTxRing(
                    name + " transmit queue " + pair,
                    bar,
                    device.registers().tdt().at(pair),
                    dma.allocate(IgbTxRing.bytes(config.txRingSize())),
                    config.txRingSize(),
                    pools,
                    limits));
        }
    }

    private static void checkRing(String direction, int size) {
        if (size < SMALLEST_RING || size > LARGEST_RING || size % RING_STEP != 0) {
            throw new DoorbellException("an igb " + direction + " ring has " + SMALLEST_RING + " to " + LARGEST_RING
                    + " descriptors, in steps of " + RING_STEP + ", not " + size
                    + ": choose such a size with NicConfig.withRingSizes");
        }
    }

    public int count() {
        return rx.size();
    }

    public IgbRxRing rx(int index) {
        return rx.get(check("receive", index));
    }

    public IgbTxRing tx(int index) {
        return tx.get(check("transmit", index));
    }

    private int check(String direction, int index) {
        if (index < 0 || index >= count()) {
            throw new IndexOutOfBoundsException(name + " has "
                    + (count() == 1
                            ? "one " + direction + " queue, number 0; there is no number " + index
                            : count() + " " + direction + " queues, from number 0; there is no number " + index)
                    + ": ask for more with NicConfig.withQueues");
        }
        return index;
    }

    // ---- Their gates

    /**
     * Keeps the threads that poll out meanwhile, once each has left: to them it is as if no frame came, and the transmit rings
     * were full.
     */
    public void undisturbed(Runnable change) {
        rx.forEach(ring -> ring.gate().shut());
        tx.forEach(ring -> ring.gate().shut());
        try {
            change.run();
        } finally {
            rx.forEach(ring -> ring.gate().open());
            tx.forEach(ring -> ring.gate().open());
        }
    }

    /** Keeps them out for good. */
    public void close(NicLife life) {
        rx.forEach(ring -> ring.gate().close(life::over));
        tx.forEach(ring -> ring.gate().close(life::over));
    }

    // ---- With the gates shut

    /** Tells the device of all rings, which are empty; the receiver and the transmitter are turned on by that. */
    public void enable(QueueSetup setup) {
        setup.setUpReceivers(format);
        for (int i = 0; i < count(); i++) {
            enableReceive(setup, i);
        }
        setup.enableReceiver();
        for (int i = 0; i < count(); i++) {
            enableTransmit(setup, i);
        }
        setup.enableTransmitter();
    }

    void enableReceive(QueueSetup setup, int index) {
        setup.setUpReceive(index, rx.get(index).deviceAddress(), config.rxRingSize(), format.room());
    }

    void enableTransmit(QueueSetup setup, int index) {
        setup.setUpTransmit(index, tx.get(index).deviceAddress(), config.txRingSize());
    }

    public void start() {
        rx.forEach(IgbRxRing::start);
        tx.forEach(IgbTxRing::start);
    }

    public void halt() {
        rx.forEach(IgbRxRing::halt);
        tx.forEach(IgbTxRing::halt);
    }

    /** Gives back the buffers of frames that were sent; returns how many are still on their way. */
    public int collect() {
        int underWay = 0;
        for (IgbTxRing ring : tx) {
            underWay += ring.collect();
        }
        return underWay;
    }

    /** Gives back all buffers. The device must have let go of the rings. */
    public void empty() {
        rx.forEach(IgbRxRing::empty);
        tx.forEach(IgbTxRing::empty);
    }

    /** Takes the pools from the device, which must be quiet. */
    public void release() {
        pools.close();
    }

    /** What the rings count, in order: those that receive, then those that send. */
    void count(CounterSink sink) {
        for (int i = 0; i < count(); i++) {
            QueueCounters counters = rx.get(i).counters();
            String queue = "rx[" + i + "]";
            sink.add(queue + ".frames", counters.frames, "frames that the application received from this queue");
            sink.add(queue + ".bytes", counters.bytes, "bytes in them");
            sink.add(
                    queue + ".dropped",
                    counters.errors,
                    "frames that the driver dropped: damaged, or in too many buffers");
            sink.add(queue + ".starved", counters.starved, "times that the ring wanted buffers and its pool had none");
            sink.add(queue + ".doorbells", counters.kicks, "times that the tail register was written");
        }
        for (int i = 0; i < count(); i++) {
            QueueCounters counters = tx.get(i).counters();
            String queue = "tx[" + i + "]";
            sink.add(queue + ".frames", counters.frames, "frames that this queue took from the application");
            sink.add(queue + ".bytes", counters.bytes, "bytes in them");
            sink.add(queue + ".doorbells", counters.kicks, "times that the tail register was written");
        }
    }

    /** Frames that arrived and were dropped by the driver. */
    public long dropped() {
        long dropped = 0;
        for (IgbRxRing ring : rx) {
            dropped += ring.counters().errors;
        }
        return dropped;
    }
}
