package io.doorbell.bench.workload;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.Nic;
import io.doorbell.frame.RxQueue;
import io.doorbell.frame.TxQueue;
import java.nio.ByteBuffer;

/**
 * What is done to frames while it is measured how many pass: loops as an application would write them. Each polls a
 * number of times and returns how many frames passed.
 */
public enum Workload {
    /** Frames are received, looked at, and dropped. */
    RECEIVE(
            "64-byte frames, batches of 32; each frame's EtherType is read, its buffer goes back to the pool"
                    + " (testpmd: icmpecho, which looks for pings)",
            "icmpecho",
            "txonly",
            false) {
        @Override
        public long poll(RxQueue rx, TxQueue tx, FrameBatch batch, int times) {
            long received = 0;
            for (int poll = 0; poll < times; poll++) {
                int count = rx.receive(batch);
                for (int i = 0; i < count; i++) {
                    if (batch.frame(i).getShort(ETHER_TYPE) == PAUSE) {
                        throw new IllegalStateException("a frame that no NIC passes on");
                    }
                }
                batch.release();
                received += count;
            }
            return received;
        }
    },

    /** Frames are allocated, filled in, and sent. */
    SEND(
            "64-byte frames, batches of 32; each frame comes from the pool and gets Ethernet, IPv4 and UDP headers, 42"
                    + " bytes (testpmd: txonly)",
            "txonly",
            "rxonly",
            false) {
        @Override
        public long poll(RxQueue rx, TxQueue tx, FrameBatch batch, int times) {
            FramePool pool = rx.pool();
            long sent = 0;
            for (int poll = 0; poll < times; poll++) {
                int fresh = batch.size();
                pool.allocate(batch, batch.remaining());
                for (int i = fresh; i < batch.size(); i++) {
                    writeHeaders(batch.frame(i));
                }
                sent += tx.send(batch);
            }
            return sent;
        }
    },

    /** Frames are sent back to where they came from. */
    FORWARD(
            "64-byte frames, batches of 32; each frame's MAC addresses change places (testpmd: macswap)",
            "macswap",
            "io",
            true) {
        @Override
        public long poll(RxQueue rx, TxQueue tx, FrameBatch batch, int times) {
            long sent = 0;
            for (int poll = 0; poll < times; poll++) {
                int count = rx.receive(batch);
                for (int i = 0; i < count; i++) {
                    batch.frame(i).swapMacs();
                }
                sent += tx.send(batch);
                batch.release();
            }
            return sent;
        }
    };

    public static final int LENGTH = 64;
    private static final int ETHER_TYPE = 12;
    private static final short PAUSE = (short) 0x8808;

    // 02:00:00:00:00:01 to 02:00:00:00:00:02; from 198.18.0.1 to 198.18.0.2, port 9 (discard)
    private static final long BYTES_0 = 0x0200_0000_0002_0200L;
    private static final long BYTES_8 = 0x0000_0001_0800_4500L;
    private static final long BYTES_16 = 0x0032_0000_0000_4011L;
    private static final long BYTES_24 = 0xee93_c612_0001_c612L;
    private static final long BYTES_32 = 0x0002_0009_0009_001eL;

    /** What the loop does, in words. */
    public final String description;
    /** testpmd's engine that does the same. */
    public final String engine;
    /** testpmd's engine for the other end. */
    public final String otherEnd;
    /** Whether the other end has to be given frames first, which go round and round then. */
    public final boolean circulates;

    Workload(String description, String engine, String otherEnd, boolean circulates) {
        this.description = description;
        this.engine = engine;
        this.otherEnd = otherEnd;
        this.circulates = circulates;
    }

    /** Polls so many times; returns how many frames passed. */
    public abstract long poll(RxQueue rx, TxQueue tx, FrameBatch batch, int times);

    /** With a NIC's first queues. */
    public final long poll(Nic nic, FrameBatch batch, int times) {
        return poll(nic.rxQueue(0), nic.txQueue(0), batch, times);
    }

    private static void writeHeaders(Frame frame) {
        frame.length(LENGTH);
        frame.setLong(0, BYTES_0);
        frame.setLong(8, BYTES_8);
        frame.setLong(16, BYTES_16);
        frame.setLong(24, BYTES_24);
        frame.setLong(32, BYTES_32);
        frame.setShort(40, (short) 0);
    }

    /** A frame as {@link #SEND} sends it, for those who send it by other means. */
    public static byte[] frame() {
        return ByteBuffer.allocate(LENGTH)
                .putLong(BYTES_0)
                .putLong(BYTES_8)
                .putLong(BYTES_16)
                .putLong(BYTES_24)
                .putLong(BYTES_32)
                .array();
    }
}
