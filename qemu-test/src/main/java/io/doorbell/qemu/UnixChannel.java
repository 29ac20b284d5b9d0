package io.doorbell.qemu;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One unix stream connection to QEMU, on which every wait has a deadline.
 *
 * <p>One thread at a time may read and one, perhaps another, may write. A failure names the connection, what was waited
 * for, and QEMU's log.
 */
public final class UnixChannel implements AutoCloseable {

    private final SocketChannel socket;
    private final Selector readable;
    private final SelectionKey readKey;
    private final Selector writable;
    private final String name;
    private final Supplier<String> log;

    /**
     * Takes over a connected socket.
     *
     * @param name what failures call this connection
     * @param log asked for QEMU's own words when something fails
     */
    UnixChannel(SocketChannel socket, String name, Supplier<String> log) {
        this.socket = socket;
        this.name = name;
        this.log = log;
        try {
            socket.configureBlocking(false);
            readable = socket.provider().openSelector();
            writable = socket.provider().openSelector();
            readKey = socket.register(readable, SelectionKey.OP_READ);
            socket.register(writable, SelectionKey.OP_WRITE);
        } catch (IOException e) {
            throw failure("cannot be set up", e);
        }
    }

    /** Connects to a socket on which somebody listens already. */
    static UnixChannel connect(Path path, String name, Supplier<String> log) {
        try {
            return new UnixChannel(SocketChannel.open(UnixDomainSocketAddress.of(path)), name, log);
        } catch (IOException e) {
            throw new QemuException(name + ": cannot connect to " + path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads what is there, without waiting.
     *
     * @return bytes read; 0 when nothing is there or {@code into} is full
     * @throws QemuException if QEMU closed the connection
     */
    public int read(ByteBuffer into) {
        int count;
        try {
            count = socket.read(into);
        } catch (IOException e) {
            throw failure("cannot be read", e);
        }
        if (count < 0) {
            throw failure("QEMU closed the connection", null);
        }
        return count;
    }

    /** Writes what fits, without waiting; returns the number of bytes written. */
    public int write(ByteBuffer from) {
        try {
            return socket.write(from);
        } catch (IOException e) {
            throw failure("cannot be written", e);
        }
    }

    /** Writes all of {@code from}, or fails once {@code patience} passes without room for a single byte. */
    public void writeFully(ByteBuffer from, Duration patience) {
        while (from.hasRemaining()) {
            if (write(from) == 0 && !await(writable, patience)) {
                throw failure(
                        "QEMU read nothing for " + seconds(patience) + "; " + from.remaining() + " bytes wait", null);
            }
        }
    }

    /** Waits until a read would return something or fail; false when {@code patience} is over. */
    public boolean awaitReadable(Duration patience) {
        readKey.interestOps(SelectionKey.OP_READ);
        return await(readable, patience);
    }

    /** As {@link #awaitReadable}, but room for a write ends the wait too. For the thread that reads. */
    public boolean awaitReadableOrWritable(Duration patience) {
        readKey.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        return await(readable, patience);
    }

    /** Reads at least one byte, or fails once {@code patience} is over; {@code what} says what was waited for. */
    public void readSome(ByteBuffer into, Duration patience, String what) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (read(into) == 0) {
            long left = deadline - System.nanoTime();
            if (left <= 0 || !awaitReadable(Duration.ofNanos(left))) {
                throw failure("no " + what + " within " + seconds(patience), null);
            }
        }
    }

    public QemuException failure(String what, @Nullable Throwable cause) {
        String reason = cause == null ? "" : ": " + cause.getMessage();
        return new QemuException(name + ": " + what + reason + "\n" + log.get(), cause);
    }

    private boolean await(Selector selector, Duration patience) {
        // select(0) would wait for ever
        long millis = Math.max(1, patience.toMillis());
        try {
            boolean ready = selector.select(millis) > 0;
            selector.selectedKeys().clear();
            if (Thread.currentThread().isInterrupted()) {
                throw failure("interrupted while waiting", null);
            }
            return ready;
        } catch (IOException e) {
            throw failure("cannot wait", e);
        }
    }

    private static String seconds(Duration duration) {
        return duration.toMillis() / 1000.0 + " s";
    }

    @Override
    public void close() {
        try (readable;
                writable;
                socket) {
            // closed in reverse order by leaving this block
        } catch (IOException e) {
            throw failure("cannot be closed", e);
        }
    }
}
