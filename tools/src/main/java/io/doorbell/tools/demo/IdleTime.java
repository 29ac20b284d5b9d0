package io.doorbell.tools.demo;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.waiting.QueueWaiter;
import io.doorbell.tools.text.Json;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;

/** What a thread takes of a CPU that waits for frames of a NIC on whose wire nothing is to be heard. */
record IdleTime(long nanos, long cpuNanos) {

    /** Where nobody slept. */
    static final IdleTime NONE = new IdleTime(0, 0);

    private static final Duration AT_A_TIME = Duration.ofMillis(500);
    private static final double ASLEEP = 0.1;

    /** For all queues of a NIC. */
    static QueueWaiter waiter(Nic nic) {
        QueueWaiter waiter = new QueueWaiter().addLink(nic);
        for (int queue = 0; queue < nic.queues(); queue++) {
            waiter.add(nic, queue);
        }
        return waiter;
    }

    /** Sleeps about so long, and sees to what comes all the same. */
    static IdleTime measure(Nic nic, Duration time) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        FrameBatch batch = new FrameBatch(32);
        try (QueueWaiter waiter = waiter(nic)) {
            while (waiter.await(Duration.ZERO)) {
                receive(nic, batch); // what was under way
            }
            long cpuBefore = threads.getCurrentThreadCpuTime();
            long start = System.nanoTime();
            while (System.nanoTime() - start < time.toNanos()) {
                waiter.await(AT_A_TIME);
                receive(nic, batch);
            }
            return new IdleTime(System.nanoTime() - start, threads.getCurrentThreadCpuTime() - cpuBefore);
        }
    }

    private static void receive(Nic nic, FrameBatch batch) {
        for (int queue = 0; queue < nic.queues(); queue++) {
            nic.rxQueue(queue).receive(batch);
            batch.release();
        }
    }

    private double share() {
        return nanos == 0 ? 0 : (double) cpuNanos / nanos;
    }

    /** Whether the thread slept, or nobody was to. */
    boolean slept() {
        return share() < ASLEEP;
    }

    /** Such as {@code 0.3 % of 2.0 s}. */
    @Override
    public String toString() {
        return nanos == 0 ? "-" : String.format("%.1f %% of %.1f s", 100 * share(), nanos / 1e9);
    }

    Object toJson() {
        return Json.object("nanoseconds", nanos, "cpuNanoseconds", cpuNanos);
    }

    static IdleTime parse(Members json) {
        return new IdleTime(json.number("nanoseconds"), json.number("cpuNanoseconds"));
    }
}
