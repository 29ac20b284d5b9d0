package io.doorbell.frame.software;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.TxQueue;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A transmit queue that takes so many slots at a time, and none that is beyond its limits. */
final class NarrowQueue implements TxQueue {

    /** What was sent: all bytes of a frame, and what is left to the NIC of it. */
    record Sent(byte[] bytes, int offloads, int tag) {}

    final List<Sent> sent = new ArrayList<>();

    /** A NIC's change when it is reset. */
    SendLimits limits;

    /** Slots that are free in the ring. */
    int free = Integer.MAX_VALUE;

    /** A pool that it does not send from. */
    @Nullable
    FramePool stranger;

    NarrowQueue(SendLimits limits) {
        this.limits = limits;
    }

    @Override
    public int send(FrameBatch batch) {
        for (int i = 0; i < batch.size(); i += batch.slots(i)) {
            if (!limits.allow(batch, i)) {
                throw new DoorbellException("beyond the limits: " + batch.frame(i));
            }
        }
        if (!batch.isEmpty() && batch.frame(0).pool().equals(stranger)) {
            throw new DoorbellException("a stranger's: " + batch.frame(0));
        }
        int taken = 0;
        while (!batch.isEmpty() && batch.slots(0) <= free) {
            int slots = batch.slots(0);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int i = 0; i < slots; i++) {
                bytes.writeBytes(batch.frame(i).toByteArray());
            }
            Frame first = batch.frame(0);
            sent.add(new Sent(bytes.toByteArray(), first.offloads() & ~Offloads.MORE_SEGMENTS, first.tag()));
            batch.release(0);
            free -= slots;
            taken += slots;
        }
        return taken;
    }

    @Override
    public SendLimits limits() {
        return limits;
    }

    @Override
    public int reclaim() {
        return 0;
    }
}
