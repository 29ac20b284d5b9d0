package io.doorbell.qemu.link;

import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.UnixChannel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/**
 * The other end of the cable of a NIC in QEMU: what is sent here the NIC receives, and the other way round. Nothing is
 * lost on the way; where QEMU cannot take more, {@link #flush} waits and {@link #tryFlush} says so.
 *
 * <p>Frames carry no CRC. Many travel in one system call, and none allocates memory:
 *
 * <pre>{@code
 * while (peer.poll()) {
 *     inspect(peer.inbox(), peer.offset(), peer.length());
 * }
 *
 * long at = peer.reserve(length);
 * // write length bytes to peer.outbox() from index at
 * peer.flush();
 * }</pre>
 *
 * <p>One thread at a time may receive and one, perhaps another, may send. A thread that does both, or that also drives
 * the NIC, must not block in {@link #flush}, {@link #send} or {@link #reserve}: it may be the one that has to make room.
 * It uses {@link #tryReserve}, {@link #tryFlush} and {@link #await}.
 */
public final class FramePeer implements AutoCloseable {

    /** The longest frame that fits a NIC in QEMU, and then some; a longer one means that the stream is out of step. */
    public static final int MAX_FRAME = 0x11000;

    // QEMU frames its stream of frames with their length, 32 bits big-endian.
    private static final int PREFIX = 4;
    private static final int BUFFER_SIZE = 512 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final UnixChannel channel;

    /** From {@code sendStart} to the position: frames that the socket has not taken yet. */
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_SIZE);

    private final MemorySegment outbox = MemorySegment.ofBuffer(out);
    private int sendStart;
    private long sent;

    /** From {@code next} to the position: bytes received and not handed out yet. */
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_SIZE);

    private final MemorySegment inbox = MemorySegment.ofBuffer(in);
    private int next;
    private int offset;
    private int length;
    private long received;

    /** Takes over the connection that a {@code -netdev stream} made. */
    public FramePeer(UnixChannel channel) {
        this.channel = channel;
    }

    /** Moves on to the next frame, without waiting; false when none has arrived. */
    public boolean poll() {
        return takeBuffered() || (fill() && takeBuffered());
    }

    /** Moves on to the next frame, waiting for it; false when {@code patience} is over. */
    public boolean poll(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!poll()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            channel.awaitReadable(Duration.ofNanos(left));
        }
        return true;
    }

    /**
     * Waits until something can move: bytes have arrived or, where frames still wait to be sent, there is room for some.
     * For a thread that both sends and receives, without blocking in either.
     *
     * @return false when {@code patience} is over
     */
    public boolean await(Duration patience) {
        return sendStart < out.position() ? channel.awaitReadableOrWritable(patience) : channel.awaitReadable(patience);
    }

    /**
     * The next frame, as a copy.
     *
     * @throws QemuException when none arrives within {@code patience}
     */
    public byte[] receive(Duration patience) {
        return receiveIfAny(patience)
                .orElseThrow(() -> channel.failure("no frame within " + patience.toMillis() + " ms", null));
    }

    /** As {@link #receive}; empty when none arrives within {@code patience}. */
    public Optional<byte[]> receiveIfAny(Duration patience) {
        return poll(patience)
                ? Optional.of(inbox.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE))
                : Optional.empty();
    }

    /** Holds the frame that the last {@link #poll()} moved on to, until the next one. */
    public MemorySegment inbox() {
        return inbox;
    }

    /** Where in {@link #inbox()} the frame starts. */
    public long offset() {
        return offset;
    }

    /** The frame's length in bytes. */
    public int length() {
        return length;
    }

    /** Frames handed out so far. */
    public long received() {
        return received;
    }

    /** Sends one frame, waiting for room. */
    public void send(byte[] frame) {
        send(MemorySegment.ofArray(frame), 0, frame.length);
    }

    /** Sends one frame, waiting for room. */
    public void send(MemorySegment segment, long from, int frameLength) {
        long at = reserve(frameLength);
        MemorySegment.copy(segment, from, outbox, at, frameLength);
        flush();
    }

    /** Where {@link #reserve} lends room for frames. */
    public MemorySegment outbox() {
        return outbox;
    }

    /**
     * Adds a frame, waiting for room. It leaves with the next flush, or earlier; by then it must have been written.
     *
     * @return where in {@link #outbox()} its bytes belong
     */
    public long reserve(int frameLength) {
        long at = tryReserve(frameLength);
        if (at < 0) {
            flush();
            at = tryReserve(frameLength);
        }
        return at;
    }

    /** As {@link #reserve}, but returns −1 where there is no room and QEMU takes nothing now. */
    public long tryReserve(int frameLength) {
        checkLength(frameLength);
        if (out.remaining() < PREFIX + frameLength) {
            tryFlush();
            dropSent();
            if (out.remaining() < PREFIX + frameLength) {
                return -1;
            }
        }
        out.putInt(frameLength);
        int at = out.position();
        out.position(at + frameLength);
        sent++;
        return at;
    }

    /** Sends what was added, waiting for room; fails when QEMU takes nothing for half a minute. */
    public void flush() {
        int end = out.position();
        out.limit(end).position(sendStart);
        try {
            channel.writeFully(out, PATIENCE);
        } finally {
            sendStart = out.position();
            out.limit(out.capacity()).position(end);
        }
        dropSent();
    }

    /** Sends as much of what was added as QEMU takes now; true when that was all. */
    public boolean tryFlush() {
        int end = out.position();
        out.limit(end).position(sendStart);
        try {
            channel.write(out);
        } finally {
            sendStart = out.position();
            out.limit(out.capacity()).position(end);
        }
        if (sendStart == end) {
            dropSent();
            return true;
        }
        return false;
    }

    /** Frames added for sending so far. */
    public long sent() {
        return sent;
    }

    /** Pulls the cable out at this end for good. */
    @Override
    public void close() {
        channel.close();
    }

    /** Moves what is still to be sent to the front of the buffer. */
    private void dropSent() {
        if (sendStart > 0) {
            out.flip().position(sendStart);
            out.compact();
            sendStart = 0;
        }
    }

    private boolean takeBuffered() {
        int available = in.position() - next;
        if (available < PREFIX) {
            return false;
        }
        int announced = in.getInt(next);
        checkLength(announced);
        if (available < PREFIX + announced) {
            return false;
        }
        offset = next + PREFIX;
        length = announced;
        next = offset + announced;
        received++;
        return true;
    }

    /** Reads what has arrived; whole frames have been handed out by now, so only the start of one moves to the front. */
    private boolean fill() {
        in.flip().position(next);
        in.compact();
        next = 0;
        return channel.read(in) > 0;
    }

    private void checkLength(int frameLength) {
        if (frameLength <= 0 || frameLength > MAX_FRAME) {
            throw channel.failure("a frame of " + frameLength + " bytes: 1 to " + MAX_FRAME + " are possible", null);
        }
    }
}
