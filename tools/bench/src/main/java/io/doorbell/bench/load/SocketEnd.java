package io.doorbell.bench.load;

import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One end of what {@code SocketsScenario} compares, in a JVM of its own. Each line is answered with one: {@code receive
 * WHERE} starts to receive, and answers with where the other end has to send to; {@code send WHERE} starts to send;
 * {@code count} answers with {@link Count}; {@code stop} ends the work.
 */
public abstract class SocketEnd {

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private Thread worker = new Thread(() -> {});
    private volatile long frames;
    private volatile boolean stopped;

    /**
     * How far the work is, or how far it got.
     *
     * @param nanos when that was, or how long it took
     * @param allocatedBytes by the thread that works
     */
    record Count(long frames, long nanos, long allocatedBytes) {

        static final Count NONE = new Count(0, 0, 0);

        static Count parse(String line) {
            long[] numbers = Arrays.stream(line.split(" ", -1))
                    .mapToLong(Long::parseLong)
                    .toArray();
            return new Count(numbers[0], numbers[1], numbers[2]);
        }

        Count minus(Count o) {
            return new Count(frames - o.frames, nanos - o.nanos, allocatedBytes - o.allocatedBytes);
        }

        Count plus(Count o) {
            return new Count(frames + o.frames, nanos + o.nanos, allocatedBytes + o.allocatedBytes);
        }

        /** Bytes allocated for a frame. */
        double bytes() {
            return (double) allocatedBytes / frames;
        }

        @Override
        public String toString() {
            return frames + " " + nanos + " " + allocatedBytes;
        }
    }

    /** What the thread does that works; ends soon after {@link #goesOn} does. */
    interface Loop {
        void run() throws Throwable;
    }

    /** Does what it is told until there is nobody to tell it. */
    final void serve() throws Throwable {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = input.readLine()) != null) {
            String[] words = line.split(" ", 2);
            System.out.println(
                    switch (words[0]) {
                        case "receive" -> receive(words[1]);
                        case "send" -> send(words[1]);
                        case "count" ->
                            new Count(frames, System.nanoTime(), threads.getThreadAllocatedBytes(worker.threadId()));
                        default -> stop();
                    });
        }
    }

    /** Is ready to receive and {@link #start}s to; returns where to send to. */
    abstract String receive(String where) throws Throwable;

    /** Is ready to send and {@link #start}s to; returns where to. */
    abstract String send(String where) throws Throwable;

    /** Ends a wait of the loop's, if it waits. */
    void wake() {}

    final void start(Loop loop) {
        frames = 0;
        stopped = false;
        worker = Thread.ofPlatform().daemon().name("worker").start(() -> run(loop));
    }

    private static void run(Loop loop) {
        try {
            loop.run();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the loop should go on. */
    final boolean goesOn() {
        return !stopped;
    }

    /** Tells how many frames have passed since the start. */
    final void passed(long soFar) {
        frames = soFar;
    }

    private String stop() throws InterruptedException {
        stopped = true;
        wake();
        worker.join();
        return "stopped";
    }
}
