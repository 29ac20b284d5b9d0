package io.doorbell.virtio;

import io.doorbell.dma.DoorbellException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.spi.PoolRegistrations;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * The queues for frames: pair i has the numbers 2i, to receive, and 2i + 1, to transmit (5.1.2). The device may have
 * more of them; those are left alone.
 *
 * <p>Each pair has a pool of its own, unless the application brings one, so that threads on different pairs do not
 * share as much as the pool's lock.
 */
final class QueuePairs {

    private static final int SMALLEST_QUEUE = 4;
    private static final int LARGEST_QUEUE = 32768;
    /** Frames that the application can hold on to while both rings are full. */
    private static final int APPLICATION_FRAMES = 1024;

    /** Bytes behind the header that a receive buffer has at least: 1500 and an Ethernet header. */
    private static final int SMALLEST_BUFFER_ROOM = 1500 + NetConfig.ETHERNET;

    private final String name;
    private final VirtioTransport transport;
    private final Features features;
    private final DeviceHealth health;
    private final PoolRegistrations pools;
    private final List<VirtioRxQueue> rx = new ArrayList<>();
    private final List<VirtioTxQueue> tx = new ArrayList<>();
    /** Frames that the device had and may not have sent when it was stopped. */
    private long lost;

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
        this.pools = new PoolRegistrations(transport.dma());
        int pairs = config.queues();
        int rxSize = queueSize(0, "receive", config.rxRingSize());
        int txSize = queueSize(1, "transmit", config.txRingSize());
        makePools(config, pairs, rxSize + txSize);
        int longest = features.has(Feature.VIRTIO_NET_F_MTU) ? netConfig.mtu() + NetConfig.ETHERNET : TxFrames.LARGEST;
        for (int pair = 0; pair < pairs; pair++) {
            rx.add(rxQueue(pair, rxSize));
            tx.add(txQueue(pair, txSize, longest));
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

    private void makePools(NicConfig config, int pairs, int ringsOfAPair) {
        int rings = ringsOfAPair;
        FramePool shared = config.sharedPool();
        if (shared == null) {
            pools.create(pairs, rings + APPLICATION_FRAMES, config.bufferSize());
        } else {
            pools.register(shared);
            rings = pairs * ringsOfAPair;
        }
        FramePool pool = pools.pool(0);
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

    private VirtioRxQueue rxQueue(int pair, int size) {
        String queueName = name + " receive queue " + pair;
        int slot = slot(pair);
        RxBuffers source = new RxBuffers(pools.pool(slot), pools.deviceAddress(slot), header());
        QueueCounters counters = new QueueCounters();
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedRxQueue(queueName, transport.dma(), size, features, source, counters, health)
                : new SplitRxQueue(queueName, transport.dma(), size, features, source, counters, health);
    }

    private VirtioTxQueue txQueue(int pair, int size, int longest) {
        String queueName = name + " transmit queue " + pair;
        TxFrames frames = new TxFrames(queueName, pools, longest, header(), features);
        QueueCounters counters = new QueueCounters();
        return features.has(Feature.VIRTIO_F_RING_PACKED)
                ? new PackedTxQueue(queueName, transport.dma(), size, features, frames, counters, health)
                : new SplitTxQueue(queueName, transport.dma(), size, features, frames, counters, health);
    }

    int count() {
        return rx.size();
    }

    VirtioRxQueue rx(int pair) {
        return rx.get(check("receive", pair));
    }

    VirtioTxQueue tx(int pair) {
        return tx.get(check("transmit", pair));
    }

    private int check(String direction, int pair) {
        if (pair < 0 || pair >= count()) {
            throw new IndexOutOfBoundsException(name + " has " + count() + " " + direction + " queues, from number 0;"
                    + " there is no number " + pair + ": ask for more with NicConfig.withQueues");
        }
        return pair;
    }

    /** Sets all of them up with the device, which does not use them before DRIVER_OK; {@link #start} is next. */
    List<Doorbell> enable() {
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

    /** Gives back all buffers. The device must have let go of all queues. */
    void stop() {
        for (int index = 0; index < 2 * count(); index++) {
            stop(index);
        }
    }

    private void stop(int index) {
        if (queue(index) instanceof VirtioTxQueue queue) {
            lost += unsent(queue);
        }
        queue(index).stop();
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

    /** Sets one queue up anew while the others go on (2.6.1). */
    void reset(int index) {
        transport.resetQueue(index);
        stop(index);
        Virtqueue queue = queue(index);
        queue.prepare();
        start(index, transport.enableQueue(index, queue.addresses()));
    }

    /** Frames that the device had and may not have sent when it, or its queue, was stopped or reset. */
    long lost() {
        return lost;
    }

    /** By its number with the device. */
    Virtqueue queue(int index) {
        return index % 2 == 0 ? rx(index / 2) : tx(index / 2);
    }

    /** Frames that the device has not sent yet. */
    int unsent() {
        int unsent = 0;
        for (VirtioTxQueue queue : tx) {
            unsent += queue.reclaim();
        }
        return unsent;
    }

    /** The sum over all queues of one direction, with the counters of each in {@code details}. */
    QueueCounters count(boolean receive, SequencedMap<String, Long> details) {
        QueueCounters sum = new QueueCounters();
        for (int pair = 0; pair < count(); pair++) {
            QueueCounters counters =
                    receive ? rx.get(pair).counters() : tx.get(pair).counters();
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
