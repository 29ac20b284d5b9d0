package io.doorbell.bench.load;

import com.sun.management.ThreadMXBean;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.workload.Shape;
import io.doorbell.bench.workload.Workload;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Doorbell's side of what is measured over vhost-user, in a JVM of its own: {@code run WORKLOAD QUEUE_SIZE SHAPE SOCKET
 * FEATURE...} opens a NIC without some features, to be used in a {@link Shape}, and works until {@code stop}, which
 * answers with {@link Report}. The JVM stays warm from one window to the next.
 */
public final class VhostUserRunner {

    private static final int POLLS = 1000;

    /**
     * What testpmd does not ask for either. DPDK's vhost would look into the header of each frame, which took it a
     * twentieth of its time.
     */
    private static final String OFFLOAD = "VIRTIO_NET_F_CSUM";

    /** What one window was like inside the JVM. */
    public record Report(long frames, long allocatedBytes, long collections) {

        public static Report parse(String line) {
            String[] words = line.split(" ", -1);
            return new Report(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
        }

        /** The row, and what some windows together say of memory. */
        public static Row addTo(Row row, List<Report> reports) {
            return row.with("bytes/frame", sum(reports, Report::allocatedBytes) / sum(reports, Report::frames))
                    .with("collections", sum(reports, Report::collections));
        }

        private static double sum(List<Report> reports, ToLongFunction<Report> part) {
            return (double) reports.stream().mapToLong(part).sum();
        }

        @Override
        public String toString() {
            return frames + " " + allocatedBytes + " " + collections;
        }
    }

    /** A pair of queues, and the frames between them. */
    private record Pair(RxQueue rx, TxQueue tx, FrameBatch batch) {}

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private volatile boolean stopped;
    private Report report = new Report(0, 0, 0);

    private VhostUserRunner() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        new VhostUserRunner().serve(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    }

    private void serve(BufferedReader input) throws IOException, InterruptedException {
        String line;
        while ((line = input.readLine()) != null) {
            List<String> words = new ArrayList<>(List.of(line.split(" ", -1)));
            words.removeFirst();
            Workload workload = Workload.valueOf(words.removeFirst());
            int size = Integer.parseInt(words.removeFirst());
            Shape shape = Shape.parse(words.removeFirst());
            String socket = words.removeFirst();
            words.add(OFFLOAD);
            NicConfig config = shape.config().withRingSizes(size, size).withoutFeatures(words.toArray(String[]::new));
            stopped = false;
            try (FramePool pool = shape.buffers() == 0 ? null : shape.createPool();
                    Nic nic = Nic.open("vhost-user:" + socket, pool == null ? config : config.withPool(pool))) {
                Pair[] pairs = pairs(nic, shape.batch());
                Thread poller = Thread.ofPlatform().name("poller").daemon().start(() -> report = run(workload, pairs));
                System.out.println("running");
                input.readLine();
                stopped = true;
                poller.join();
            }
            System.out.println(report);
        }
    }

    private static Pair[] pairs(Nic nic, int batch) {
        Pair[] pairs = new Pair[nic.queues()];
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = new Pair(nic.rxQueue(i), nic.txQueue(i), new FrameBatch(batch));
        }
        return pairs;
    }

    private Report run(Workload workload, Pair[] pairs) {
        poll(workload, pairs); // a thread's and a connection's first steps may allocate
        long collections = collections();
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long frames = 0;
        while (!stopped) {
            frames += poll(workload, pairs);
        }
        allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
        for (Pair pair : pairs) {
            pair.batch.release();
        }
        return new Report(frames, allocated, collections() - collections);
    }

    /** Several pairs take turns, a poll each, as testpmd has it. */
    private static long poll(Workload workload, Pair[] pairs) {
        int turn = pairs.length == 1 ? POLLS : 1;
        long frames = 0;
        for (int polls = 0; polls < POLLS; polls += turn) {
            for (Pair pair : pairs) {
                frames += workload.poll(pair.rx, pair.tx, pair.batch, turn);
            }
        }
        return frames;
    }

    private static long collections() {
        long count = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            count += collector.getCollectionCount();
        }
        return count;
    }
}
