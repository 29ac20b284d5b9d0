package io.doorbell.bench.driver;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The drivers alone: what a call of {@code receive} or {@code send} costs, with the pool's part and one touch of every
 * frame's header, when the device is never waited for.
 *
 * <p>One thread plays driver and device in turn, so each benchmark has a twin, named after it with {@code Device}
 * behind, in which the device plays alone. Their difference is the driver. An operation is one call, which moves
 * {@link #frames} frames.
 */
@SuppressWarnings("NullAway.Init") // JMH sets the parameters, then calls open()
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DriverBenchmark {

    private static final long DESTINATION = 0x5254_0012_3456_5254L;

    @Param({"igb", "split", "packed"})
    String ring;

    @Param({"256", "1024"})
    int size;

    @Param({"1", "8", "32", "256"})
    int batch;

    /** At most half a ring: no driver can keep a device busy that has all of it. */
    private int frames;

    private SimulatedRings rings;
    private RxQueue rx;
    private TxQueue tx;
    private FramePool pool;
    private FrameBatch held;

    @Setup
    public void open() {
        rings = SimulatedRings.open(ring, size);
        rx = rings.rx();
        tx = rings.tx();
        pool = rings.pool();
        held = new FrameBatch(batch);
        frames = frames(batch, size);
    }

    /** How many frames a call moves. */
    static int frames(int batch, int size) {
        return Math.min(batch, size / 2);
    }

    @TearDown
    public void close() {
        rings.close();
    }

    @Benchmark
    public long receive() {
        rings.arrive(frames);
        requireAll(rx.receive(held));
        long seen = 0;
        for (int i = 0; i < held.size(); i++) {
            seen += held.frame(i).getShort(12);
        }
        held.release();
        return seen;
    }

    @Benchmark
    public void receiveDevice() {
        rings.arrive(frames);
    }

    @Benchmark
    public void send() {
        pool.allocate(held, frames);
        for (int i = 0; i < held.size(); i++) {
            Frame frame = held.frame(i);
            frame.length(SimulatedRings.FRAME);
            frame.setLong(0, DESTINATION);
        }
        requireAll(tx.send(held));
        rings.depart(frames);
    }

    @Benchmark
    public void sendDevice() {
        rings.depart(frames);
    }

    @Benchmark
    public void forward() {
        rings.arrive(frames);
        requireAll(rx.receive(held));
        for (int i = 0; i < held.size(); i++) {
            held.frame(i).swapMacs();
        }
        requireAll(tx.send(held));
        rings.depart(frames);
    }

    @Benchmark
    public void forwardDevice() {
        rings.arrive(frames);
        rings.depart(frames);
    }

    private void requireAll(int moved) {
        if (moved != frames) {
            throw new IllegalStateException("a call moved " + moved + " frames, not " + frames);
        }
    }
}
