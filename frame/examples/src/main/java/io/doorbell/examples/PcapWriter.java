package io.doorbell.examples;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.Offloads;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;

/** Records what arrives at a NIC, for Wireshark and tcpdump. Its arguments are the NIC's name and the file's. */
public final class PcapWriter implements AutoCloseable {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int RECORD_HEADER = 16;
    private static final int LARGEST_FRAME = 262144; // what tcpdump says, too
    private static final int BUFFER = 1 << 20;

    private final FileOutputStream file; // an interrupt would close a FileChannel
    private final byte[] bytes = new byte[BUFFER];
    private final MemorySegment buffer = MemorySegment.ofArray(bytes);
    private int used;

    PcapWriter(Path path) throws IOException {
        file = new FileOutputStream(path.toFile());
        put(0xa1b2_3c4d); // times are in nanoseconds
        put(4 << 16 | 2); // version 2.4
        put(0); // of UTC
        put(0);
        put(LARGEST_FRAME);
        put(1); // Ethernet
    }

    public static void main(String... arguments) throws IOException {
        stopOnCtrlC(Thread.currentThread());
        NicConfig config = NicConfig.defaults().withPromiscuous(true).withReceiveOffloads(Offloads.MORE_SEGMENTS);
        try (PcapWriter writer = new PcapWriter(Path.of(arguments[1]));
                Nic nic = Nic.open(arguments[0], config)) {
            FrameBatch batch = new FrameBatch(64);
            while (!Thread.interrupted()) {
                if (nic.rxQueue(0).receive(batch) == 0) {
                    writer.flush();
                    Thread.onSpinWait();
                } else {
                    writer.write(batch);
                    batch.release();
                }
            }
            System.out.println(nic.statistics());
        }
    }

    /** Frames that were received by one poll get the same time. */
    void write(FrameBatch batch) throws IOException {
        Instant now = Instant.now();
        for (int i = 0; i < batch.size(); i += batch.slots(i)) {
            int length = batch.length(i);
            if (used + RECORD_HEADER + length > BUFFER) {
                flush();
            }
            put((int) now.getEpochSecond());
            put(now.getNano());
            put(length); // that are recorded: all
            put(length);
            for (int slot = i; slot < i + batch.slots(i); slot++) {
                Frame part = batch.frame(slot);
                part.getBytes(0, buffer, used, part.length());
                used += part.length();
            }
        }
    }

    private void put(int value) {
        buffer.set(INT, used, value);
        used += Integer.BYTES;
    }

    void flush() throws IOException {
        file.write(bytes, 0, used);
        used = 0;
    }

    @Override
    public void close() throws IOException {
        try (file) {
            flush();
        }
    }

    /** The JVM waits for its hooks, and this one waits until the loop has ended and the file is whole. */
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
