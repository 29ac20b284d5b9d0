package io.doorbell.examples;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import io.doorbell.frame.software.SoftwareOffloads;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A learning switch between any NICs: virtual machines, other processes, PCI functions. Its arguments are their names. */
public final class LearningSwitch implements AutoCloseable {

    private static final int BATCH = 64;
    private static final NicConfig CONFIG = NicConfig.defaults()
            .withPromiscuous(true)
            .withReceiveOffloads(Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS);
    private final FramePool pool; // of all ports, so that a frame goes from one to another without being copied
    private final List<Nic> ports = new ArrayList<>();
    private final List<SoftwareOffloads> senders =
            new ArrayList<>(); // large frames stay whole where a NIC takes them so
    private final FrameBatch in = new FrameBatch(BATCH);
    private final int[] choice = new int[BATCH];
    private final FrameBatch[] out;
    /** Who was last seen where: MAC address and port, in 48 and 16 bits. Two that share a place take it from each other. */
    private final long[] stations = new long[1 << 12];

    private LearningSwitch(int most) {
        pool = FramePool.create(2048 * most, CONFIG.bufferSize());
        out = new FrameBatch[most];
    }

    public static void main(String... names) {
        stopOnCtrlC(Thread.currentThread());
        try (LearningSwitch running = new LearningSwitch(names.length)) {
            List.of(names).forEach(running::plug);
            for (int idle = 0; !Thread.interrupted(); idle = running.poll() > 0 ? 0 : idle + 1) {
                if (idle > 1000) {
                    LockSupport.parkNanos(50_000);
                }
            }
        }
    }

    private void plug(String name) {
        out[ports.size()] = new FrameBatch(4 * BATCH);
        Nic nic = Nic.open(name, CONFIG.withPool(pool));
        ports.add(nic);
        senders.add(new SoftwareOffloads(nic.txQueue(0), pool));
    }

    /** Passes on what has arrived; returns how many frames that were. */
    private int poll() {
        int received = 0;
        for (int port = 0; port < out.length; port++) {
            try {
                received += ports.get(port).rxQueue(0).receive(in);
                for (int i = 0; i < in.size(); i += in.slots(i)) {
                    choice[i] = choose(i, port);
                }
                in.distribute(choice, out);
                senders.get(port).send(out[port]); // as many as it can; the others wait where they are
            } catch (BrokenDeviceException e) {
                System.err.println(e.getMessage());
                ports.get(port).reset();
            } finally {
                in.release(); // what is for nobody else, or found no room
            }
        }
        return received;
    }

    /** Says which port a frame goes to; -1 is none. Where that is not known, it goes to all. */
    private int choose(int index, int from) {
        long destination = in.frame(index).getLong(0) >>> 16;
        long source = in.frame(index).getLong(6) >>> 16;
        if ((source >>> 40 & 1) == 0) { // else it is a multicast address, and nobody's
            stations[place(source)] = source << 16 | from;
        }
        long station = stations[place(destination)];
        if (station >>> 16 == destination) {
            int port = (int) station & 0xffff;
            return port == from ? -1 : port;
        }
        int first = from == 0 && out.length > 1 ? 1 : 0;
        for (int port = first + 1; port < out.length; port++) {
            if (port != from) {
                in.copyTo(out[port], index, pool);
            }
        }
        return first == from ? -1 : first; // the frame itself goes there
    }

    private int place(long address) {
        return Long.hashCode(address) & (stations.length - 1);
    }

    @Override
    public void close() {
        senders.forEach(SoftwareOffloads::close);
        ports.forEach(Nic::close);
        pool.close();
    }

    /** The JVM waits for its hooks, and this one waits until the loop has ended and the NICs are closed. */
    private static void stopOnCtrlC(Thread loop) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            loop.interrupt();
            try {
                loop.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }
}
