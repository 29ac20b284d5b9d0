package io.doorbell.tools.demo;

import io.doorbell.DoorbellException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Takes TCP connections through the kernel's stack, and checks each byte that comes. */
final class TcpSink implements AutoCloseable {

    /** A prime number of bytes, over and over, so that what is out of place shows. */
    private static final int PERIOD = 65_521;

    private static final byte[] BYTES = bytes();

    /** What is sent, from {@link #position} on; always enough of it for one buffer. */
    static final MemorySegment PATTERN = MemorySegment.ofArray(BYTES);

    private final ServerSocket socket;
    private final AtomicLong right = new AtomicLong();
    private final AtomicLong wrong = new AtomicLong();
    private volatile boolean closed;

    TcpSink(String address) {
        try {
            socket = new ServerSocket(0, 50, InetAddress.ofLiteral(address));
        } catch (IOException e) {
            throw new DoorbellException("the kernel does not listen on " + address + ": " + e.getMessage(), e);
        }
        Thread.ofPlatform().daemon().name("tcp-sink").start(this::accept);
    }

    private static byte[] bytes() {
        byte[] once = new byte[PERIOD];
        new Random(PERIOD).nextBytes(once);
        byte[] thrice = Arrays.copyOf(once, 3 * PERIOD);
        System.arraycopy(once, 0, thrice, PERIOD, PERIOD);
        System.arraycopy(once, 0, thrice, 2 * PERIOD, PERIOD);
        return thrice;
    }

    /** Where in the pattern a byte of the stream is. */
    static int position(long byteOfStream) {
        return (int) (byteOfStream % PERIOD);
    }

    int port() {
        return socket.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket connection = socket.accept();
                Thread.ofPlatform().daemon().name("tcp-sink").start(() -> check(connection));
            }
        } catch (IOException e) {
            if (!closed) {
                throw new DoorbellException("the kernel takes no connections: " + e.getMessage(), e);
            }
        }
    }

    private void check(Socket connection) {
        byte[] buffer = new byte[PERIOD];
        long position = 0;
        try (connection;
                InputStream in = connection.getInputStream()) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                int from = position(position);
                boolean same = Arrays.equals(buffer, 0, count, BYTES, from, from + count);
                (same ? right : wrong).addAndGet(count);
                position += count;
            }
        } catch (IOException e) {
            // A connection that was reset: what it lacks is missing in the sum.
        }
    }

    /** Bytes that came and were what was to come. */
    long right() {
        return right.get();
    }

    /** Bytes in pieces that were not. */
    long wrong() {
        return wrong.get();
    }

    @Override
    public void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            throw new DoorbellException("cannot close a socket: " + e.getMessage(), e);
        }
    }
}
