package io.doorbell.virtio;

import io.doorbell.dma.DmaSpace;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;

/**
 * A transmit queue over a {@link PackedRing}: one descriptor a frame, header included.
 *
 * <p>Going round the ring, the descriptors from {@code clean} to {@code next} are the device's, or sent and not taken
 * back yet; the other {@code free} ones are not in use.
 */
final class PackedTxQueue implements VirtioTxQueue {

    private final String name;
    private final PackedRing ring;
    private final TxFrames frames;
    private final TxBuffers buffers;
    private final boolean inOrder;
    private final int lowWater;
    private final QueueCounters counters;
    private final DeviceHealth health;
    private int next;
    private long availableFlags;
    private int clean;
    private long usedFlags;
    private int free;
    private int idle;
    private boolean running;

    PackedTxQueue(
            String name,
            DmaSpace space,
            int size,
            Features features,
            TxFrames frames,
            QueueCounters counters,
            DeviceHealth health) {
        this.name = name;
        this.ring = new PackedRing(space, size, features.has(Feature.VIRTIO_F_EVENT_IDX), counters);
        this.frames = frames;
        this.buffers = new TxBuffers(size, frames);
        this.inOrder = features.has(Feature.VIRTIO_F_IN_ORDER);
        this.lowWater = size / 4;
        this.counters = counters;
        this.health = health;
    }

    @Override
    public int send(FrameBatch batch) {
        if (!running) {
            throw new IllegalStateException(name + " is stopped");
        }
        if (free < Math.max(lowWater, batch.size())) {
            reclaim();
        }
        final int count = Math.min(batch.size(), free);
        if (count == 0) {
            return nothing(batch);
        }
        final PackedRing ring = this.ring;
        final int size = ring.size;
        final int header = frames.header;
        long flags = availableFlags;
        int position = next;
        int prepared = 0;
        long firstWord = 0;
        long bytes = 0;
        try {
            while (prepared < count) {
                Frame frame = batch.frame(prepared);
                long address = frames.prepare(frame);
                int length = frame.length();
                int id = ring.ids[position];
                ring.setAddress(position, address);
                long word = flags | (long) id << PackedRing.ID_SHIFT | (header + length);
                // The first becomes available last, and all of them with it: none is if one cannot be sent.
                if (prepared == 0) {
                    firstWord = word;
                } else {
                    ring.setWord(position, word);
                }
                buffers.put(id, frame.buffer(), frames.slot());
                bytes += length;
                prepared++;
                if (++position == size) {
                    position = 0;
                    flags ^= PackedRing.FLAGS;
                }
            }
        } catch (RuntimeException e) {
            withdraw(prepared);
            throw e;
        }
        batch.detach(count);
        ring.publish(next, firstWord);
        next = position;
        availableFlags = flags;
        free -= count;
        counters.frames += count;
        counters.bytes += bytes;
        ring.tell(position, count, flags);
        return count;
    }

    @Override
    public int reclaim() {
        final PackedRing ring = this.ring;
        final int size = ring.size;
        try {
            while (running && free < size) {
                long word = ring.word(clean);
                if ((word & PackedRing.FLAGS) != usedFlags) {
                    break;
                }
                int id = (int) (word >>> PackedRing.ID_SHIFT) & PackedRing.ID_MASK;
                if (inOrder) {
                    takeBackUpTo(id);
                } else {
                    takeBack(id);
                }
            }
        } finally {
            buffers.giveCollected();
        }
        return size - free;
    }

    /** In order, one used descriptor may stand for a batch: it names the last (2.8.9), where ids are positions. */
    private void takeBackUpTo(int id) {
        final int size = ring.size;
        int count = (id >= clean ? id - clean : id - clean + size) + 1;
        if (id >= size || count > size - free) {
            throw lie(id);
        }
        for (; count > 0; count--) {
            buffers.collect(clean);
            advance();
        }
    }

    private void takeBack(int id) {
        if (id >= ring.size || !buffers.has(id)) {
            throw lie(id);
        }
        ring.ids[clean] = id;
        buffers.collect(id);
        advance();
    }

    private void advance() {
        free++;
        if (++clean == ring.size) {
            clean = 0;
            usedFlags ^= PackedRing.FLAGS;
        }
    }

    private int nothing(FrameBatch batch) {
        if (!batch.isEmpty() && ++idle == RxBuffers.PATIENCE) {
            idle = 0;
            health.check();
        }
        return 0;
    }

    /** Undoes the descriptors of frames that are not to be sent after all, as the device has seen none of them. */
    private void withdraw(int count) {
        int position = next;
        long flags = availableFlags;
        for (int i = 0; i < count; i++) {
            buffers.remove(ring.ids[position]);
            // As the device left it in the round before: both flags are that round's wrap counter.
            ring.setWord(position, (flags & PackedRing.AVAILABLE_AT_FIRST) != 0 ? 0 : PackedRing.FLAGS);
            if (++position == ring.size) {
                position = 0;
                flags ^= PackedRing.FLAGS;
            }
        }
    }

    private BrokenDeviceException lie(int id) {
        return broken("used descriptor " + clean + " says buffer " + id + "; possible are the buffers that the device"
                + " has (" + (ring.size - free) + " of 0 to " + (ring.size - 1) + ")");
    }

    private BrokenDeviceException broken(String what) {
        running = false;
        return new BrokenDeviceException(name + ": " + what + "; the queue has stopped");
    }

    @Override
    public QueueAddresses addresses() {
        return ring.addresses();
    }

    @Override
    public void prepare() {
        ring.prepare();
        next = 0;
        clean = 0;
        free = ring.size;
        availableFlags = PackedRing.AVAILABLE_AT_FIRST;
        usedFlags = PackedRing.USED_AT_FIRST;
    }

    @Override
    public void start(Doorbell doorbell) {
        ring.start(doorbell);
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        buffers.giveAll();
        free = ring.size;
    }

    @Override
    public QueueCounters counters() {
        return counters;
    }
}
