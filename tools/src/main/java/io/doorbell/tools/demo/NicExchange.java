package io.doorbell.tools.demo;

import com.sun.management.ThreadMXBean;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.qemu.link.NumberedExchange;
import io.doorbell.qemu.link.NumberedExchange.Counts;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * The NIC's end of an exchange of numbered frames: one loop that polls both queues, and measures what it allocates.
 * Frames are checked and made where they lie.
 */
final class NicExchange {

    private static final int BATCH = 32;
    /** With nothing moving for so long, in spite of reminders, the other end has gone. */
    private static final long PATIENCE_NANOS = Duration.ofSeconds(30).toNanos();
    /** How long the other end has to remark that it was not told of the end. */
    private static final long LINGER_NANOS = Duration.ofMillis(500).toNanos();

    /** When nothing has come for so long, the other end may be waiting for the processor that we poll on. */
    private static final long POLITE_NANOS = 50_000;

    private static final long SILENCE_NANOS = PeerExchange.SILENCE.toNanos();

    private final RxQueue rx;
    private final TxQueue tx;
    private final FramePool pool;
    private final NumberedExchange exchange;
    private final FrameBatch in = new FrameBatch(BATCH);
    private final FrameBatch out = new FrameBatch(BATCH);
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long moved;
    private long nanos;
    private long measuredFrames;
    private long allocatedBytes;
    private long collections;

    NicExchange(Nic nic, NumberedExchange exchange) {
        rx = nic.rxQueue(0);
        tx = nic.txQueue(0);
        pool = rx.pool();
        this.exchange = exchange;
    }

    /**
     * Runs the exchange to its end, or until nothing moves any more.
     *
     * @param warmUp frames, both ways, before memory is measured: code is compiled meanwhile
     */
    void run(long warmUp) {
        long collectionsBefore = collections();
        long start = System.nanoTime();
        runUntil(warmUp);
        long movedBefore = moved;
        long allocatedBefore = threads.getCurrentThreadAllocatedBytes();
        runUntil(Long.MAX_VALUE);
        allocatedBytes = threads.getCurrentThreadAllocatedBytes() - allocatedBefore;
        measuredFrames = moved - movedBefore;
        nanos = System.nanoTime() - start;
        collections = collections() - collectionsBefore;
        linger();
    }

    /** Polls until so many frames have moved, or the exchange is over, or stuck. */
    private void runUntil(long frames) {
        long quietSince = System.nanoTime();
        long askedAt = quietSince;
        while (moved < frames && !exchange.isFinished()) {
            if (poll()) {
                quietSince = 0;
                continue;
            }
            Thread.onSpinWait();
            long now = System.nanoTime();
            if (quietSince == 0) {
                quietSince = now;
                askedAt = now;
            }
            if (now - quietSince > POLITE_NANOS) {
                LockSupport.parkNanos(POLITE_NANOS);
            }
            if (now - askedAt > SILENCE_NANOS) {
                exchange.remind();
                askedAt = now;
            }
            if (now - quietSince > PATIENCE_NANOS) {
                return;
            }
        }
    }

    private void linger() {
        long start = System.nanoTime();
        long quietSince = start;
        while (System.nanoTime() - quietSince < LINGER_NANOS && System.nanoTime() - start < PATIENCE_NANOS) {
            if (poll()) {
                quietSince = System.nanoTime();
            } else {
                Thread.onSpinWait();
            }
        }
        out.release();
    }

    /** Receives what has come and sends what may go; false when there was neither. */
    private boolean poll() {
        int received = rx.receive(in);
        for (int i = 0; i < received; i++) {
            Frame frame = in.frame(i);
            exchange.accept(frame.memory(), frame.position(), frame.length());
        }
        in.release();
        write();
        int sent = tx.send(out);
        moved += received + sent;
        return received + sent > 0;
    }

    /** Fills up the outgoing batch; what the ring had no room for is still at its front. */
    private void write() {
        while (out.remaining() > 0) {
            int length = exchange.nextLength();
            if (length == 0 || pool.allocate(out, 1) == 0) {
                return;
            }
            Frame frame = out.frame(out.size() - 1);
            frame.length(length);
            exchange.write(frame.memory(), frame.position());
        }
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }

    /** How things stand; allocates. */
    Counts counts() {
        return exchange.counts();
    }

    double seconds() {
        return nanos / 1e9;
    }

    long measuredFrames() {
        return measuredFrames;
    }

    long allocatedBytes() {
        return allocatedBytes;
    }

    long heapCollections() {
        return collections;
    }
}
