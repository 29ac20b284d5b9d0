package io.doorbell.virtio.queue;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import io.doorbell.qemu.link.NumberedExchange;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** One end of an exchange of numbered frames, over a queue pair of a NIC. For one thread. */
public final class NicEnd implements AutoCloseable {

    private static final long DEADLINE = Duration.ofSeconds(60).toNanos();
    private static final long PATIENCE = Duration.ofMillis(100).toNanos();
    private static final int BATCH = 32;

    private final NumberedExchange exchange;
    private final RxQueue rx;
    private final TxQueue tx;
    private final FramePool pool;
    private final FrameBatch in = new FrameBatch(BATCH);
    private final FrameBatch out = new FrameBatch(BATCH);
    private long moved = System.nanoTime();

    public NicEnd(Nic nic, int queue, NumberedExchange exchange) {
        this.exchange = exchange;
        this.rx = nic.rxQueue(queue);
        this.tx = nic.txQueue(queue);
        this.pool = rx.pool();
    }

    /** Moves what can be moved. */
    public void advance() {
        int count = rx.receive(in);
        for (int i = 0; i < count; i++) {
            Frame frame = in.frame(i);
            exchange.accept(frame.memory(), frame.position(), frame.length());
        }
        in.release();
        int length;
        while (out.remaining() > 0 && (length = exchange.nextLength()) > 0 && pool.allocate(out, 1) == 1) {
            Frame frame = out.frame(out.size() - 1);
            frame.length(length);
            exchange.write(frame.memory(), frame.position());
        }
        count += tx.send(out);
        long now = System.nanoTime();
        if (count > 0) {
            moved = now;
        } else if (now - moved > PATIENCE) {
            exchange.remind();
            moved = now;
        } else {
            LockSupport.parkNanos(20_000);
        }
    }

    boolean isFinished() {
        return exchange.isFinished();
    }

    public NumberedExchange.Counts counts() {
        return exchange.counts();
    }

    /** Runs ends in turns until all have finished. */
    public static void run(NicEnd... ends) {
        long start = System.nanoTime();
        boolean finished = false;
        while (!finished) {
            finished = true;
            for (NicEnd end : ends) {
                end.advance();
                finished &= end.isFinished();
            }
            if (System.nanoTime() - start > DEADLINE) {
                throw new AssertionError("the exchange has come to a halt: " + ends[0].counts());
            }
        }
    }

    @Override
    public void close() {
        in.release();
        out.release();
    }
}
