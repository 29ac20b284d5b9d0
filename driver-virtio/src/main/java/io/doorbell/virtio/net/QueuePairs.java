package io.doorbell.virtio.net;

import io.doorbell.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.NicLife;
import io.doorbell.frame.spi.PollGate;
import io.doorbell.frame.spi.PoolNeeds;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.NetHeader;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.queue.DeviceHealth;
import io.doorbell.virtio.queue.PackedRxQueue;
import io.doorbell.virtio.queue.PackedTxQueue;
import io.doorbell.virtio.queue.SplitRxQueue;
import io.doorbell.virtio.queue.SplitTxQueue;
import io.doorbell.virtio.queue.TxFrames;
import io.doorbell.virtio.queue.VirtioRxQueue;
import io.doorbell.virtio.queue.VirtioTxQueue;
import io.doorbell.virtio.queue.Virtqueue;
import io.doorbell.virtio.spec.Doorbell;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;
import io.doorbell.virtio.transport.Straggler;
import io.doorbell.virtio.transport.VirtioTransport;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The queues for frames: pair i has the numbers 2i, to receive, and 2i + 1, to transmit (5.1.2). The device may have
 * more of them; those are left alone.
 *
 * <p>Each pair has a pool of its own, unless the application brings one.
 */
final class QueuePairs {

    private static final System.Logger LOG = System.getLogger(QueuePairs.class.getName());

    private static final int SMALLEST_QUEUE = 4;
    private static final int LARGEST_QUEUE = 32768;

    /** Bytes behind the header that a receive buffer has at least: 1500 and an Ethernet header. */
    private static final int SMALLEST_BUFFER_ROOM = 1500 + NetConfig.ETHERNET;

    /** Rings that a straggler may still be at, with the buffers in them. */
    private record Retired(Straggler straggler, List<Virtqueue> queues) {}

    private final String name;
    private final VirtioTransport transport;
    private final Features features;
    private final DeviceHealth health;
    private final PoolRegistrations pools;
    private final int rxSize;
    private final int txSize;
    /** Descriptors of each ring that are used: all, or as many as were asked for where the device fixes the size. */
    private final int rxDepth;

    private final int txDepth;
    /** Bytes in the longest frame that may be sent uncut. */
    private final int longest;

    private final List<GatedRxQueue> rx = new ArrayList<>();
    private final List<GatedTxQueue> tx = new ArrayList<>();
    /** Whether the rings went to a straggler, so that there must be others before anything starts. */
    private boolean used;

    private final List<Retired> retired = new ArrayList<>();
    /** Frames that the device had and may not have sent when it was stopped. Read by any thread. */
    private final AtomicLong lost = new AtomicLong();

    private final AtomicLong lostBytes = new AtomicLong();

    /** Makes as many pairs as {@code config} asks for, which the device is known to have. */
    QueuePairs(
            String name,
            VirtioTransport transport,
            Features features,
            NetConfig netConfig,
            NicConfig config,
            DeviceHealth health) {
        this.name = name;
        this.transport = transport;
        this.features = features;
        this.health = health;
        this.pools = new PoolRegistrations(name, transport.dma());
        int pairs = config.queues();
        this.rxSize = queueSize(0, "receive", config.rxRingSize());
        this.txSize = queueSize(1, "transmit", config.txRingSize());
        this.rxDepth = depth(rxSize, config.rxRingSize());
        this.txDepth = depth(txSize, config.txRingSize());
        pools.provide(config, pairs, new PoolNeeds("a virtio device", SMALLEST_BUFFER_ROOM, rxDepth + txDepth));
        this.longest =
                features.has(Feature.VIRTIO_NET_F_MTU) ? netConfig.mtu() + NetConfig.ETHERNET : FrameLength.LARGEST;
        for (int pair = 0; pair < pairs; pair++) {
            int index = 2 * pair;
            rx.add(new GatedRxQueue(rxName(pair), rxRing(pair, new QueueCounters()), () -> transport.interrupt(index)));
            tx.add(new GatedTxQueue(txName(pair), txRing(pair, new QueueCounters())));
        }
    }

    /** As many entries as the configuration asks for, unless the device has fewer or no choice. */
    private int queueSize(int index, String direction, int asked) {
        int most = transport.queueMaxSize(index);
        if (most < 1 || most > LARGEST_QUEUE) {
            throw new BrokenDeviceException(name + ": the device has a " + direction + " queue of " + most
                    + " entries; possible are 1 to " + LARGEST_QUEUE);
        }
        int size = transport.queueSizeIsFixed() ? most : Math.min(asked, most);
        boolean packed = features.has(Feature.VIRTIO_F_RING_PACKED);
        if (size < SMALLEST_QUEUE || (!packed && Integer.bitCount(size) != 1)) {
            throw new DoorbellException("a virtio " + direction + " queue of the " + (packed ? "packed" : "split")
                    + " layout has " + SMALLEST_QUEUE + " to " + LARGEST_QUEUE + " entries"
                    + (packed ? "" : ", a power of two") + ", not " + size
                    + ": choose such a size with NicConfig.withRingSizes");
        }
        return size;
    }

    /** How many descriptors of a ring to use: where the device has no choice but a larger ring, that costs no more buffers. */
    private static int depth(int size, int asked) {
        return Math.min(size, Math.max(asked, SMALLEST_QUEUE));
    }

    /** The slot of a pair's pool. */
    private int slot(int pair) {
        return Math.min(pair, pools.size() - 1);
    }

    private int header() {
        if (features.has(Feature.VIRTIO_NET_F_HASH_REPORT)) {
            return NetHeader.HASH_BYTES;
        }
        boolean whole = transport.isModern() || features.has(Feature.VIRTIO_NET_F_MRG_RXBUF);
        return whole ? NetHeader.BYTES : NetHeader.LEGACY_BYTES;
    }

    private String rxName(int pair) {
        return name + " receive queue " + pair;
    }

    private String txName(int pair) {
        return name + " transmit queue " + pair;
    }

    private VirtioRxQueue rxRing(int pair, QueueCounters counters) {
        String queueName = rxName(pair);
        int slot = slot(pair);
        RxBuffers source = new RxBuffers(pools.pool(slot), pools.deviceAddress(slot), header());
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedRxQueue(queueName, transport.dma(), rxSize, features, source, counters, health)
                : new SplitRxQueue(queueName, transport.dma(), rxSize, rxDepth, features, source, counters, health);
    }

    private VirtioTxQueue txRing(int pair, QueueCounters counters) {
        String queueName = txName(pair);
        TxFrames frames = new TxFrames(queueName, pools, longest, header(), features);
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedTxQueue(queueName, transport.dma(), txSize, features, frames, counters, health)
                : new SplitTxQueue(queueName, transport.dma(), txSize, txDepth, features, frames, counters, health);
    }

    int count() {
        return rx.size();
    }

    GatedRxQueue rx(int pair) {
        return rx.get(check("receive", pair));
    }

    GatedTxQueue tx(int pair) {
        return tx.get(check("transmit", pair));
    }

    private int check(String direction, int pair) {
        if (pair < 0 || pair >= count()) {
            throw new IndexOutOfBoundsException(name + " has " + count() + " " + direction + " queues, from number 0;"
                    + " there is no number " + pair + ": ask for more with NicConfig.withQueues");
        }
        return pair;
    }

    // ---- Their gates

    /** Keeps the threads that poll out, once each has left; to them it is as if no frame came, and no ring had room. */
    void shut() {
        rx.forEach(queue -> queue.gate.shut());
        tx.forEach(queue -> queue.gate.shut());
    }

    void open() {
        rx.forEach(queue -> queue.gate.open());
        tx.forEach(queue -> queue.gate.open());
    }

    /** Keeps them out for good. */
    void close(NicLife life) {
        rx.forEach(queue -> queue.gate.close(life::over));
        tx.forEach(queue -> queue.gate.close(life::over));
    }

    // ---- With the gates shut

    /** Whether the device is away, and is waited for: then polls find nothing. */
    void away(boolean isAway) {
        rx.forEach(queue -> queue.away(isAway));
        tx.forEach(queue -> queue.away(isAway));
    }

    /** Takes out of the rings what has arrived; it is received as if it were still there. */
    void drain() {
        rx.forEach(GatedRxQueue::drain);
    }

    /** Drops what was rescued. */
    void forget() {
        rx.forEach(GatedRxQueue::forget);
    }

    /** Drops what was rescued of one pair, and keeps its thread out meanwhile. */
    void forget(int pair) {
        PollGate gate = rx(pair).gate;
        gate.shut();
        try {
            rx(pair).forget();
        } finally {
            gate.open();
        }
    }

    /** Sets all of them up with the device, which does not use them before DRIVER_OK; {@link #start} is next. */
    List<Doorbell> enable() {
        if (used) {
            renew();
        }
        List<Doorbell> doorbells = new ArrayList<>();
        for (int index = 0; index < 2 * count(); index++) {
            Virtqueue queue = queue(index);
            queue.prepare();
            doorbells.add(transport.enableQueue(index, queue.addresses()));
        }
        return doorbells;
    }

    /** @param doorbells what {@link #enable} returned */
    void start(List<Doorbell> doorbells) {
        for (int index = 0; index < doorbells.size(); index++) {
            start(index, doorbells.get(index));
        }
    }

    private void start(int index, Doorbell doorbell) {
        queue(index).start(doorbell);
        transport.startQueue(index);
    }

    /**
     * Gives back all buffers, since the device has let go of all queues. A second call does nothing.
     *
     * @param straggler who may not have; then the buffers, and the rings, are kept apart until it has. Null for nobody
     */
    void stop(@Nullable Straggler straggler) {
        if (straggler != null) {
            retire(straggler);
        } else if (!used) {
            for (int index = 0; index < 2 * count(); index++) {
                stop(index);
            }
        }
    }

    private void retire(Straggler straggler) {
        List<Virtqueue> old = new ArrayList<>();
        for (int index = 0; index < 2 * count(); index++) {
            countLost(index);
            queue(index).halt();
            old.add(queue(index));
        }
        retired.add(new Retired(straggler, old));
        used = true;
    }

    /** Makes rings of which no straggler knows. */
    private void renew() {
        List<VirtioRxQueue> in = new ArrayList<>();
        List<VirtioTxQueue> out = new ArrayList<>();
        try {
            for (int pair = 0; pair < count(); pair++) {
                in.add(rxRing(pair, rx(pair).ring().counters()));
                out.add(txRing(pair, tx(pair).ring().counters()));
            }
        } catch (RuntimeException e) {
            in.forEach(Virtqueue::discard);
            out.forEach(Virtqueue::discard);
            throw e;
        }
        for (int pair = 0; pair < count(); pair++) {
            rx(pair).ring(in.get(pair));
            tx(pair).ring(out.get(pair));
        }
        used = false;
        for (GatedRxQueue queue : rx) {
            int free = queue.pool().available();
            if (free < rxDepth) {
                LOG.log(
                        Level.WARNING,
                        "{0}: {1} of its pool''s {2} buffers are free for a receive ring of {3}: others are withheld,"
                                + " since {4} back-ends before may still write to them; end those",
                        name,
                        free,
                        queue.pool().buffers(),
                        rxDepth,
                        retired.size());
            }
        }
    }

    /** How many stragglers may still be at rings and buffers. */
    int stragglers() {
        return retired.size();
    }

    /** Gives back the buffers of stragglers that are gone, and the memory of their rings. Any gate may be open. */
    void reap() {
        for (Retired candidate : List.copyOf(retired)) {
            if (candidate.straggler.isGone()) {
                retired.remove(candidate);
                candidate.queues.forEach(Virtqueue::stop);
                candidate.queues.forEach(Virtqueue::discard);
            }
        }
    }

    /** Refuses polls; the buffers stay where they are, since the device may have them still. */
    void halt() {
        for (int index = 0; index < 2 * count(); index++) {
            queue(index).halt();
        }
    }

    /** Gives back what is left, of memory that the device is kept out of by now, and lets the pools go. */
    void release() {
        reap();
        if (!retired.isEmpty()) {
            LOG.log(
                    Level.WARNING,
                    "{0}: closed while {1} back-ends may still write to buffers: those of a pool of the application's"
                            + " (NicConfig.withPool) never return to it",
                    name,
                    retired.size());
        }
        forget();
        stop(null);
        pools.close();
    }

    private void stop(int index) {
        countLost(index);
        queue(index).stop();
    }

    private void countLost(int index) {
        if (queue(index) instanceof VirtioTxQueue queue) {
            lost.addAndGet(unsent(queue));
            lostBytes.addAndGet(queue.unsentBytes());
        }
    }

    /** What a device that has let go of the queue left in it. */
    private static int unsent(VirtioTxQueue queue) {
        try {
            return queue.reclaim();
        } catch (BrokenDeviceException e) {
            // What it wrote is no help; without looking at that again, all that is not back counts.
            return queue.reclaim();
        }
    }

    /** Sets one queue up anew while the others go on (2.6.1), and keeps its thread out meanwhile. */
    void reset(int index) {
        PollGate gate = gate(index);
        gate.shut();
        try {
            if (index % 2 == 0) {
                rx(index / 2).forget();
            }
            resetShut(index);
        } finally {
            gate.open();
        }
    }

    private PollGate gate(int index) {
        return index % 2 == 0 ? rx(index / 2).gate : tx(index / 2).gate;
    }

    private void resetShut(int index) {
        transport.resetQueue(index);
        stop(index);
        Virtqueue queue = queue(index);
        queue.prepare();
        start(index, transport.enableQueue(index, queue.addresses()));
    }

    /** Frames that the device had and may not have sent when it, or its queue, was stopped or reset. */
    long lost() {
        return lost.get();
    }

    /** Bytes in those frames. */
    long lostBytes() {
        return lostBytes.get();
    }

    /** By its number with the device. */
    Virtqueue queue(int index) {
        return index % 2 == 0 ? rx(index / 2).ring() : tx(index / 2).ring();
    }

    /** Frames that the device has not sent yet. With the gates shut. */
    int unsent() {
        int unsent = 0;
        for (GatedTxQueue queue : tx) {
            unsent += queue.ring().reclaim();
        }
        return unsent;
    }

    /** The sum over all queues of one direction, with the counters of each in {@code details}. */
    QueueCounters count(boolean receive, SequencedMap<String, Long> details) {
        QueueCounters sum = new QueueCounters();
        for (int pair = 0; pair < count(); pair++) {
            QueueCounters counters = receive
                    ? rx.get(pair).ring().counters()
                    : tx.get(pair).ring().counters();
            sum.frames += counters.frames;
            sum.bytes += counters.bytes;
            sum.errors += counters.errors;
            String queue = (receive ? "rx[" : "tx[") + pair + "]";
            details.put(queue + ".frames", counters.frames);
            details.put(queue + ".bytes", counters.bytes);
            details.put(queue + ".kicks", counters.kicks);
        }
        return sum;
    }
}
