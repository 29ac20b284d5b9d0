package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.SendLimits;
import io.doorbell.frame.software.SoftwareOffloads;
import io.doorbell.frame.waiting.QueueWaiter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Sends a stream of bytes to the kernel over TCP, by a connection for each queue of a NIC, each on a thread of its own that
 * sleeps when there is nothing to do. The NIC spreads what the kernel answers over the queues by its hash (RSS), verifies
 * checksums, makes those of what is sent, and segments it (TSO); where it does not, the software does.
 */
final class TcpUpload {

    private static final long BYTES_PER_QUEUE = 8 << 20;
    private static final int BATCH = 64;
    /** How many slots a frame may take: about 16 KiB, in some ten segments. */
    private static final int SLOTS = 8;

    private static final int FIRST_PORT = 40_000;
    private static final int PORTS = 100;
    private static final Duration ANSWER = Duration.ofMillis(500);
    private static final Duration SILENCE = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path SNMP = Path.of("/proc/net/snmp");

    private final Nic nic;
    private final KernelStation kernel;
    private final PingResponder responder;

    TcpUpload(Nic nic, KernelStation kernel) {
        this.nic = nic;
        this.kernel = kernel;
        this.responder = new PingResponder(nic.macAddress(), KernelStation.OTHER_ADDRESS_BITS);
    }

    TcpResult run() {
        long errorsBefore = kernelCounter("InCsumErrors");
        long framesBefore = kernel.received();
        try (TcpSink sink = new TcpSink(KernelStation.ADDRESS)) {
            List<TcpFlow> flows = connect(sink);
            long verified = send(flows);
            awaitAll(sink, BYTES_PER_QUEUE * flows.size());
            return new TcpResult(
                    flows.size(),
                    BYTES_PER_QUEUE * flows.size(),
                    sink.right(),
                    flows.stream().mapToLong(TcpFlow::written).sum(),
                    kernel.received() - framesBefore,
                    (nic.txQueue(0).limits().offloads() & Offloads.SEGMENT) != 0,
                    kernelCounter("InCsumErrors") - errorsBefore,
                    verified,
                    flows.stream().mapToLong(TcpFlow::repeated).sum());
        }
    }

    /** The kernel has acknowledged all, and whoever reads may be a moment behind. */
    private static void awaitAll(TcpSink sink, long bytes) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (sink.right() + sink.wrong() < bytes && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    // ---- Which connection on which queue: the NIC decides, by the hash of its addresses and ports

    private List<TcpFlow> connect(TcpSink sink) {
        @Nullable TcpFlow[] flows = new TcpFlow[nic.queues()];
        FrameBatch out = new FrameBatch(BATCH);
        try (QueueWaiter waiter = IdleTime.waiter(nic);
                SoftwareOffloads tx =
                        new SoftwareOffloads(nic.txQueue(0), nic.rxQueue(0).pool())) {
            for (int i = 0; i < PORTS && Arrays.stream(flows).anyMatch(Objects::isNull); i++) {
                TcpFlow flow =
                        new TcpFlow(nic.macAddress(), kernel.mac(), FIRST_PORT + i, sink.port(), BYTES_PER_QUEUE);
                flow.writeSyn(out, nic.rxQueue(0).pool());
                tx.send(out);
                int queue = queueOf(flow, waiter, tx);
                if (queue >= 0 && flows[queue] == null) {
                    flows[queue] = flow;
                } else {
                    flow.writeReset(out, nic.rxQueue(0).pool());
                    tx.send(out);
                }
            }
        }
        List<TcpFlow> found = new ArrayList<>();
        for (int queue = 0; queue < flows.length; queue++) {
            TcpFlow flow = flows[queue];
            if (flow == null) {
                throw new DoorbellException("of " + PORTS + " connections, the kernel's answers to none came in receive"
                        + " queue " + queue + " of " + nic.name());
            }
            found.add(flow);
        }
        return found;
    }

    /** Where the kernel's answer comes in; −1 when it does not. */
    private int queueOf(TcpFlow flow, QueueWaiter waiter, SoftwareOffloads tx) {
        FrameBatch in = new FrameBatch(BATCH);
        long deadline = System.nanoTime() + ANSWER.toNanos();
        while (System.nanoTime() < deadline) {
            for (int queue = 0; queue < nic.queues(); queue++) {
                nic.rxQueue(queue).receive(in);
                take(in, flow);
                tx.send(in); // an answer to ARP
                in.release();
                if (flow.isEstablished() || flow.isRefused()) {
                    return flow.isEstablished() ? queue : -1;
                }
            }
            waiter.await(SILENCE);
        }
        return -1;
    }

    /** Sees to what came, and leaves in the batch what is to be answered. Returns how many checksums the NIC had verified. */
    private int take(FrameBatch in, TcpFlow flow) {
        int verified = 0;
        for (int i = in.size() - 1; i >= 0; i--) {
            Frame frame = in.frame(i);
            verified += (frame.offloads() & Offloads.CHECKSUM_GOOD) != 0 ? 1 : 0;
            if (flow.accept(frame) || !responder.answer(frame)) {
                in.release(i);
            }
        }
        return verified;
    }

    // ---- A thread for each

    private long send(List<TcpFlow> flows) {
        try (ExecutorService threads = Executors.newFixedThreadPool(flows.size())) {
            List<Future<Long>> ends = new ArrayList<>();
            for (int queue = 0; queue < flows.size(); queue++) {
                int mine = queue;
                ends.add(threads.submit(() -> send(flows.get(mine), mine)));
            }
            long verified = 0;
            for (Future<Long> end : ends) {
                verified += end.get();
            }
            return verified;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof DoorbellException known
                    ? known
                    : new DoorbellException("a connection to the kernel broke: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted while sending to the kernel", e);
        }
    }

    private long send(TcpFlow flow, int queue) {
        FramePool pool = nic.rxQueue(queue).pool();
        SendLimits limits = nic.txQueue(queue).limits();
        int slots = Math.min(SLOTS, (limits.offloads() & Offloads.MORE_SEGMENTS) != 0 ? limits.slots() : SLOTS);
        FrameBatch in = new FrameBatch(BATCH);
        FrameBatch out = new FrameBatch(BATCH);
        long verified = 0;
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (QueueWaiter waiter = new QueueWaiter().add(nic, queue);
                SoftwareOffloads tx = new SoftwareOffloads(nic.txQueue(queue), pool)) {
            while (!flow.isDone() || !out.isEmpty()) {
                int received = nic.rxQueue(queue).receive(in);
                verified += take(in, flow);
                in.moveTo(out);
                while (flow.write(out, pool, slots)) {
                    // as many as there is room for, here and at the kernel
                }
                if (tx.send(out) + received == 0) {
                    waiter.await(SILENCE);
                }
                if (flow.isRefused() || System.nanoTime() > deadline) {
                    throw new DoorbellException("the connection on queue " + queue + " of " + nic.name()
                            + (flow.isRefused()
                                    ? " was reset"
                                    : " did not get on within " + PATIENCE.toSeconds() + " s"));
                }
            }
        } finally {
            in.release();
            out.release();
        }
        return verified;
    }

    /** Of the line for TCP, whose names are in one line and whose values are in the next. */
    private static long kernelCounter(String name) {
        try {
            List<String> lines = Files.readAllLines(SNMP).stream()
                    .filter(line -> line.startsWith("Tcp:"))
                    .toList();
            int column = List.of(lines.getFirst().split(" ", -1)).indexOf(name);
            return Long.parseLong(lines.getLast().split(" ", -1)[column]);
        } catch (IOException | IndexOutOfBoundsException e) {
            throw new DoorbellException("cannot read " + name + " of TCP in " + SNMP + ": " + e.getMessage(), e);
        }
    }
}
