package io.doorbell.virtio.queue;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.spi.PoolRegistrations;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.spec.Feature;
import io.doorbell.virtio.spec.Features;

/** One receive and one transmit queue with the devices that serve them, and nothing else of a NIC. */
final class Rig implements AutoCloseable {

    static final int HEADER = 12;
    static final int BUFFER = FramePool.HEADROOM + 192;

    final Layout layout;
    final int size;
    final TestMemory memory;
    final FramePool pool;
    /** All of the pool's. */
    final int[] buffers;

    final RxBuffers source;
    final VirtioRxQueue rx;
    final VirtioTxQueue tx;
    final QueuePeer rxFar;
    final QueuePeer txFar;
    int rxKicks;
    int txKicks;
    int healthChecks;

    Rig(Layout layout, int size, int buffers, Feature... more) {
        this(layout, size, size, buffers, more);
    }

    /** @param depth how many descriptors of a split ring to use */
    Rig(Layout layout, int size, int depth, int buffers, Feature... more) {
        this.layout = layout;
        this.size = size;
        this.memory = new TestMemory(1 << 20);
        Features features = layout.features(more);
        PoolRegistrations pools = new PoolRegistrations(memory);
        pools.create(1, buffers, BUFFER);
        this.pool = pools.pool(0);
        this.buffers = new int[buffers];
        pool.allocate(this.buffers, 0, buffers);
        pool.free(this.buffers, 0, buffers);
        this.source = new RxBuffers(pool, pools.deviceAddress(0), HEADER);
        TxFrames frames = new TxFrames("tx", pools, FrameLength.LARGEST, HEADER, features);
        DeviceHealth health = () -> healthChecks++;
        QueueCounters in = new QueueCounters();
        QueueCounters out = new QueueCounters();
        if (layout.isPacked()) {
            rx = new PackedRxQueue("rx", memory, size, features, source, in, health);
            tx = new PackedTxQueue("tx", memory, size, features, frames, out, health);
        } else {
            rx = new SplitRxQueue("rx", memory, size, depth, features, source, in, health);
            tx = new SplitTxQueue("tx", memory, size, depth, features, frames, out, health);
        }
        rxFar = farEnd(rx);
        txFar = farEnd(tx);
        start();
    }

    /** Another one that plays the device of a queue, for a thread of its own. */
    QueuePeer farEnd(Virtqueue queue) {
        return layout.isPacked()
                ? new PackedQueuePeer(memory.segment(), queue.addresses())
                : new SplitQueuePeer(memory.segment(), queue.addresses());
    }

    void start() {
        startReceive();
        startTransmit();
    }

    void startReceive() {
        rx.prepare();
        rxFar.reset();
        rx.start(() -> rxKicks++);
    }

    void startTransmit() {
        tx.prepare();
        txFar.reset();
        tx.start(() -> txKicks++);
    }

    @Override
    public void close() {
        memory.close();
    }
}
