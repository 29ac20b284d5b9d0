package io.doorbell.virtio.vhost.backend;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.ability.Alarm;
import io.doorbell.frame.spi.QueueCounters;
import io.doorbell.frame.spi.StallWatch;
import io.doorbell.virtio.header.FrameAssembler;
import io.doorbell.virtio.header.FrameLength;
import io.doorbell.virtio.header.OffloadSide;
import io.doorbell.virtio.header.RxBuffers;
import io.doorbell.virtio.queue.IndirectTables;
import io.doorbell.virtio.spec.Features;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the front-end sends: frames are copied out of its transmit ring into the pool's buffers. */
final class VhostBackendRxQueue implements RxQueue {

    private static final int NONE = -1;

    private final VhostBackendQueue queue;
    private final FramePool pool;
    private final RxBuffers buffers;
    /** Bytes that a buffer takes, of header and frame. */
    private final int room;
    /** Bytes in the largest frame that is received. */
    private final int largest;

    /** The buffers of the frame at hand, {@code wanted} of them or fewer; {@link #NONE} comes first if there is none. */
    private final int[] fresh = new int[IndirectTables.MOST];

    private final StallWatch stall;
    private final Alarm alarm = new RingAlarm();
    private int wanted;
    private FrameAssembler frames;
    private Features features;

    /**
     * @param name for messages
     * @param several whether frames may take several slots of a batch
     */
    VhostBackendRxQueue(String name, VhostBackendQueue queue, FramePool pool, boolean several) {
        this.queue = queue;
        queue.gate.onChange(alarm::ring);
        this.pool = pool;
        this.stall = StallWatch.starved(name);
        // No device but this object reaches them, so they need no address.
        this.buffers = new RxBuffers(pool, 0, VhostBackendQueue.HEADER);
        this.room = VhostBackendQueue.HEADER + buffers.largest();
        this.largest = several
                ? Math.min(FrameLength.LARGEST, fresh.length * room - VhostBackendQueue.HEADER)
                : buffers.largest();
        this.fresh[0] = NONE;
        this.features = queue.features();
        this.frames = frames(features);
    }

    private FrameAssembler frames(Features agreed) {
        return new FrameAssembler(buffers, fresh.length, OffloadSide.DEVICE, agreed, queue.counters);
    }

    @Override
    public int receive(FrameBatch batch) {
        if (!queue.gate.enter()) {
            return queue.gate.turnedAway();
        }
        try {
            DeviceRing ring = queue.ring();
            return ring == null ? 0 : receive(ring, batch);
        } catch (BrokenDeviceException | InternalError e) {
            BrokenDeviceException told = queue.broken(e);
            dropUnfinished();
            throw told;
        } finally {
            queue.gate.leave();
        }
    }

    private int receive(DeviceRing ring, FrameBatch batch) {
        if (features.negotiated() != queue.features().negotiated()) {
            features = queue.features(); // another front-end's
            frames = frames(features);
        }
        final int held = batch.size();
        final ScatterList parts = ring.parts();
        try {
            for (int read = 0; read < DeviceRing.MOST_A_POLL && batch.remaining() > 0; read += parts.count()) {
                int mark = ring.mark();
                parts.clear();
                if (!ring.take(false)) {
                    break;
                }
                long length = parts.bytes() - VhostBackendQueue.HEADER;
                if (length < FrameLength.SHORTEST || length > largest) {
                    queue.counters.errors++;
                } else if (!receive(parts, batch)) {
                    ring.rewind(mark);
                    break;
                }
                ring.put(ring.id(), ring.entries(), 0);
            }
        } finally {
            // Also when the front-end lied: what came before is good, and the application has it.
            queue.publish(ring);
        }
        MemoryFaults.settle();
        return batch.size() - held;
    }

    /**
     * Copies a frame, with its header, into as many buffers as it takes.
     *
     * @return false when there are too few at present, or the batch has too little room for them
     */
    private boolean receive(ScatterList parts, FrameBatch batch) {
        int bytes = (int) parts.bytes();
        int slots = (bytes + room - 1) / room;
        if (slots > batch.remaining() && slots <= batch.capacity()) {
            return false;
        }
        if (slots > 1) {
            Arrays.fill(fresh, 0, slots, NONE);
        }
        wanted = slots;
        int given = pool.allocate(fresh, 0, slots);
        if (given < slots) {
            pool.free(fresh, 0, given);
            fresh[0] = NONE;
            stall.stuck(queue.counters.frames + queue.counters.errors);
            return false;
        }
        int from = 0;
        for (int i = 0; i < slots; i++) {
            int count = Math.min(room, bytes - from);
            frames.add(fresh[i], count - frames.notFrame());
            parts.copyOut(from, pool.memory(), pool.position(fresh[i]) + buffers.start(), count);
            from += count;
        }
        if (slots > 1) {
            MemoryFaults.settle(); // there are loops ahead
        }
        fresh[0] = NONE; // the batch has them
        frames.deliver(batch);
        return true;
    }

    /** Gives back the buffers of the frame whose memory was taken away while it was copied, if there is one. */
    private void dropUnfinished() {
        frames.forget();
        if (fresh[0] != NONE) {
            int count = 0;
            while (count < wanted && fresh[count] != NONE) {
                count++;
            }
            pool.free(fresh, 0, count);
            fresh[0] = NONE;
        }
    }

    /** Of frames, and of all that the front-end changes. */
    Alarm alarm() {
        return alarm;
    }

    private final class RingAlarm extends Alarm {

        @Override
        public boolean arm() {
            if (!queue.gate.enter()) {
                return true;
            }
            try {
                return !queue.runs() || hasFrames();
            } catch (BrokenDeviceException | InternalError e) {
                throw queue.broken(e);
            } finally {
                queue.gate.leave();
            }
        }

        private boolean hasFrames() {
            EventFd event = event();
            if (event != null && !clear(event)) {
                return true; // it is no event counter: there is no waiting for that
            }
            DeviceRing ring = queue.ring();
            if (ring == null) {
                return false;
            }
            ring.askKicks();
            boolean any = !ring.isEmpty();
            MemoryFaults.settle();
            return any;
        }

        /** Whatever file the front-end sent for it. */
        private static boolean clear(EventFd event) {
            try {
                event.clear();
                return true;
            } catch (KernelException e) {
                return false;
            }
        }

        @Override
        public void disarm() {
            if (!queue.gate.enter()) {
                return;
            }
            try {
                DeviceRing ring = queue.runs() ? queue.ring() : null;
                if (ring != null) {
                    ring.start();
                    MemoryFaults.settle();
                }
            } catch (InternalError e) {
                throw queue.broken(e);
            } finally {
                queue.gate.leave();
            }
        }

        @Override
        public @Nullable EventFd event() {
            return queue.kick();
        }
    }

    QueueCounters counters() {
        return queue.counters;
    }

    @Override
    public FramePool pool() {
        return pool;
    }
}
