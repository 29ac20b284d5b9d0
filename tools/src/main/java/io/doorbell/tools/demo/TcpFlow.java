package io.doorbell.tools.demo;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Segmentation;

/**
 * The sender's end of one TCP connection over IPv4 (RFC 9293), as much of it as a wire takes on which little is lost: no
 * congestion control, and all that is unacknowledged is sent again after a silence. It writes frames of many segments, whose
 * cutting and whose checksums it leaves to others. For one thread; allocates nothing.
 */
final class TcpFlow {

    private static final int IP = 14;
    private static final int TCP = IP + 20;
    private static final int HEADERS = TCP + 20;
    private static final int SYN_OPTIONS = 8;
    private static final int CHECKSUM = 16;
    private static final int MSS = 1460;

    private static final int FIN = 0x01;
    private static final int SYN = 0x02;
    private static final int RST = 0x04;
    private static final int ACK = 0x10;

    private static final int FIRST_SEQUENCE = 0x0d00_0be1;
    private static final int OUR_WINDOW = 0xffff;
    private static final int PROTOCOL = 6;
    private static final long SILENCE_NANOS = 400_000_000;

    private final MacAddress ours;
    private final MacAddress kernels;
    private final int port;
    private final int kernelPort;
    private final long bytes;

    private boolean established;
    private boolean refused;
    /** The kernel has said that it sends no more, which it never did. */
    private boolean finished;

    private boolean owesAck;
    private int kernelSequence;
    private int windowShift;
    private long window;
    /** Bytes of payload, and one for the end, that have been acknowledged, and that have been sent. */
    private long acknowledged;

    private long next;
    private long progressAt = System.nanoTime();
    private long written;
    private long repeated;

    /**
     * @param port ours
     * @param bytes how much to send: what {@link TcpSink} expects
     */
    TcpFlow(MacAddress ours, MacAddress kernels, int port, int kernelPort, long bytes) {
        this.ours = ours;
        this.kernels = kernels;
        this.port = port;
        this.kernelPort = kernelPort;
        this.bytes = bytes;
    }

    // ---- In

    /** Takes note of a frame; false when it does not belong to this connection. */
    boolean accept(Frame frame) {
        if (frame.length() < HEADERS
                || frame.getUnsignedShort(12) != 0x0800
                || frame.getUnsignedByte(IP) != 0x45
                || frame.getUnsignedByte(IP + 9) != PROTOCOL
                || frame.getUnsignedShort(TCP) != kernelPort
                || frame.getUnsignedShort(TCP + 2) != port) {
            return false;
        }
        int flags = frame.getUnsignedByte(TCP + 13);
        if ((flags & RST) != 0) {
            refused = true;
        } else if ((flags & SYN) != 0) {
            kernelSequence = frame.getInt(TCP + 4) + 1;
            windowShift = windowShift(frame);
            window = frame.getUnsignedShort(TCP + 14);
            established = true;
            owesAck = true;
            progressAt = System.nanoTime();
        } else {
            acknowledge(frame.getInt(TCP + 8), (long) frame.getUnsignedShort(TCP + 14) << windowShift);
            if ((flags & FIN) != 0) {
                kernelSequence = frame.getInt(TCP + 4) + 1;
                finished = true;
                owesAck = true;
            }
        }
        return true;
    }

    private void acknowledge(int sequence, long newWindow) {
        int more = sequence - sequence(acknowledged);
        if (more >= 0 && more <= next - acknowledged) {
            if (more > 0) {
                acknowledged += more;
                progressAt = System.nanoTime();
            }
            window = newWindow;
        }
    }

    /** The window scale option (RFC 7323) of a SYN. */
    private static int windowShift(Frame frame) {
        int end = Math.min(frame.length(), TCP + (frame.getUnsignedByte(TCP + 12) >>> 4) * 4);
        for (int at = HEADERS; at < end; ) {
            int kind = frame.getUnsignedByte(at);
            if (kind == 3 && at + 2 < end) {
                return frame.getUnsignedByte(at + 2);
            }
            if (kind == 0) {
                return 0;
            }
            at += kind == 1 || at + 1 >= end ? 1 : Math.max(2, frame.getUnsignedByte(at + 1));
        }
        return 0;
    }

    boolean isEstablished() {
        return established;
    }

    boolean isRefused() {
        return refused;
    }

    /** Whether all has arrived, and both sides know. */
    boolean isDone() {
        return acknowledged == bytes + 1 && finished && !owesAck;
    }

    /** Frames that were written, of one or of many segments. */
    long written() {
        return written;
    }

    /** How often it had to go back. */
    long repeated() {
        return repeated;
    }

    // ---- Out

    /** Asks for the connection. */
    void writeSyn(FrameBatch out, FramePool pool) {
        if (pool.allocate(out, 1) == 1) {
            Frame frame = out.frame(out.size() - 1);
            write(frame, SYN_OPTIONS, 0, SYN, FIRST_SEQUENCE);
            frame.setInt(HEADERS, 0x0204_0000 | MSS); // maximum segment size
            frame.setInt(HEADERS + 4, 0x0303_0001); // window scale 0, and one option of no meaning
        }
    }

    /** Ends a connection that is not wanted. */
    void writeReset(FrameBatch out, FramePool pool) {
        if (pool.allocate(out, 1) == 1) {
            write(out.frame(out.size() - 1), 0, 0, RST | ACK, sequence(next));
        }
    }

    /**
     * Adds the next frame.
     *
     * @param slots how many of the batch it may take
     * @return false when there is none for now
     */
    boolean write(FrameBatch out, FramePool pool, int slots) {
        if (next > acknowledged && System.nanoTime() - progressAt > SILENCE_NANOS) {
            next = acknowledged;
            progressAt = System.nanoTime();
            repeated++;
        }
        long open = window - (next - acknowledged);
        if (next < bytes && open >= Math.min(MSS, bytes - next)) {
            return writeData(out, pool, (int) Math.min(open, bytes - next), slots);
        }
        boolean end = next == bytes;
        if (!(end || owesAck) || out.remaining() == 0 || pool.allocate(out, 1) == 0) {
            return false;
        }
        write(out.frame(out.size() - 1), 0, 0, end ? FIN | ACK : ACK, sequence(next));
        if (end) {
            next++;
        }
        return true;
    }

    private boolean writeData(FrameBatch out, FramePool pool, int most, int slots) {
        int room = pool.bufferSize() - FramePool.HEADROOM;
        int taken = Math.min(Math.min(slots, out.remaining()), (HEADERS + most + room - 1) / room);
        int first = out.size();
        if (taken == 0 || pool.allocate(out, taken) < taken) {
            while (out.size() > first) {
                out.release(out.size() - 1);
            }
            return false;
        }
        int length = Math.min(most, taken * room - HEADERS);
        int left = length;
        for (int i = 0; i < taken; i++) {
            Frame frame = out.frame(first + i);
            int from = i == 0 ? HEADERS : 0;
            int part = Math.min(left, room - from);
            frame.length(from + part);
            frame.setBytes(from, TcpSink.PATTERN, TcpSink.position(next + length - left), part);
            left -= part;
        }
        Frame frame = out.frame(first);
        write(frame, 0, length, ACK, sequence(next));
        if (length > MSS) {
            frame.segment(Segmentation.TCP4, HEADERS, MSS);
        }
        out.join(first, taken);
        next += length;
        return true;
    }

    private static int sequence(long position) {
        return FIRST_SEQUENCE + 1 + (int) position;
    }

    /** Writes the headers; the payload is there by now, and may go on in other buffers. */
    private void write(Frame frame, int options, int payload, int flags, int sequence) {
        if (payload == 0) {
            frame.length(HEADERS + options);
        }
        frame.setMac(0, kernels);
        frame.setMac(6, ours);
        frame.setShort(12, (short) 0x0800);
        frame.setShort(IP, (short) 0x4500);
        frame.setShort(IP + 2, (short) (HEADERS - IP + options + payload));
        frame.setShort(IP + 4, (short) written);
        frame.setShort(IP + 6, (short) 0x4000); // must not be fragmented
        frame.setShort(IP + 8, (short) (64 << 8 | PROTOCOL));
        frame.setShort(IP + 10, (short) 0);
        frame.setInt(IP + 12, KernelStation.OTHER_ADDRESS_BITS);
        frame.setInt(IP + 16, KernelStation.ADDRESS_BITS);
        frame.setShort(IP + 10, (short) PingResponder.checksum(frame, IP, TCP - IP));
        frame.setShort(TCP, (short) port);
        frame.setShort(TCP + 2, (short) kernelPort);
        frame.setInt(TCP + 4, sequence);
        frame.setInt(TCP + 8, kernelSequence);
        frame.setShort(TCP + 12, (short) ((((HEADERS - TCP + options) / 4) << 12) | flags));
        frame.setShort(TCP + 14, (short) OUR_WINDOW);
        frame.setInt(TCP + CHECKSUM, 0);
        frame.setShort(TCP + CHECKSUM, (short) pseudoHeader(HEADERS - TCP + options + payload));
        frame.needsChecksum(TCP, CHECKSUM);
        if ((flags & ACK) != 0) {
            owesAck = false;
        }
        written++;
    }

    /** The sum over the pseudo header, to which the sum over the rest is to be added. */
    private static int pseudoHeader(int length) {
        int sum = (KernelStation.ADDRESS_BITS >>> 16)
                + (KernelStation.ADDRESS_BITS & 0xffff)
                + (KernelStation.OTHER_ADDRESS_BITS >>> 16)
                + (KernelStation.OTHER_ADDRESS_BITS & 0xffff)
                + PROTOCOL
                + length;
        sum = (sum & 0xffff) + (sum >>> 16);
        return (sum & 0xffff) + (sum >>> 16);
    }
}
