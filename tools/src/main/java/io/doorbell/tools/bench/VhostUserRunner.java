package io.doorbell.tools.bench;

import com.sun.management.ThreadMXBean;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Doorbell's side of {@link VhostUserScenario}, in a JVM of its own: {@code run WORK QUEUE_SIZE SOCKET FEATURE...} opens
 * a NIC without some features and works until {@code stop}, which answers with {@link Report}. The JVM stays warm from
 * one window to the next.
 */
final class VhostUserRunner {

    private static final int BATCH = 32;
    private static final int POLLS = 1000;

    /** What one window was like inside the JVM. */
    record Report(long frames, long allocatedBytes, long collections) {

        static Report parse(String line) {
            String[] words = line.split(" ", -1);
            return new Report(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
        }

        @Override
        public String toString() {
            return frames + " " + allocatedBytes + " " + collections;
        }
    }

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
            Work work = Work.valueOf(words.removeFirst());
            int size = Integer.parseInt(words.removeFirst());
            String socket = words.removeFirst();
            NicConfig config =
                    NicConfig.defaults().withRingSizes(size, size).withoutFeatures(words.toArray(String[]::new));
            stopped = false;
            try (Nic nic = Nic.open("vhost-user:" + socket, config)) {
                Thread poller = Thread.ofPlatform().name("poller").daemon().start(() -> report = run(nic, work));
                System.out.println("running");
                input.readLine();
                stopped = true;
                poller.join();
            }
            System.out.println(report);
        }
    }

    private Report run(Nic nic, Work work) {
        FrameBatch batch = new FrameBatch(BATCH);
        work.poll(nic, batch, POLLS); // a thread's and a connection's first steps may allocate
        long collections = collections();
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long frames = 0;
        while (!stopped) {
            frames += work.poll(nic, batch, POLLS);
        }
        allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
        batch.release();
        return new Report(frames, allocated, collections() - collections);
    }

    private static long collections() {
        long count = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            count += collector.getCollectionCount();
        }
        return count;
    }
}
