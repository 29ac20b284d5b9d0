package io.doorbell.qemu;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A unix socket on which Java listens for QEMU. Listening comes before QEMU starts, so QEMU's connection succeeds at
 * once and there is nothing to retry.
 */
public final class UnixListener implements AutoCloseable {

    private static final int SUN_PATH_MAX = 107;

    private final ServerSocketChannel server;
    private final String name;

    private UnixListener(ServerSocketChannel server, String name) {
        this.server = server;
        this.name = name;
    }

    /** Listens on a socket that this creates; failures call the connection by the file's name. */
    public static UnixListener bind(Path path) {
        String name = String.valueOf(path.getFileName());
        if (path.toString().length() > SUN_PATH_MAX) {
            throw new QemuException(name + ": the socket path " + path + " is longer than " + SUN_PATH_MAX
                    + " bytes; choose a shorter folder with -Djava.io.tmpdir");
        }
        try {
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            server.configureBlocking(false);
            server.bind(UnixDomainSocketAddress.of(path));
            return new UnixListener(server, name);
        } catch (IOException e) {
            throw new QemuException(name + ": cannot listen on " + path + ": " + e.getMessage(), e);
        }
    }

    /** Waits until QEMU connects; fails at once when QEMU exits instead, showing its log. */
    public UnixChannel accept(QemuProcess process, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        try (Selector selector = server.provider().openSelector()) {
            server.register(selector, SelectionKey.OP_ACCEPT);
            process.onExit(selector::wakeup);
            while (true) {
                SocketChannel socket = server.accept();
                if (socket != null) {
                    return new UnixChannel(socket, name, process::describe);
                }
                long left = deadline - System.nanoTime();
                if (!process.isAlive() || left <= 0) {
                    throw failure(
                            process.isAlive() ? "QEMU did not connect within " + patience : "QEMU exited", process);
                }
                selector.select(Math.max(1, left / 1_000_000));
                selector.selectedKeys().clear();
            }
        } catch (IOException e) {
            throw failure("cannot accept", process, e);
        }
    }

    private QemuException failure(String what, QemuProcess process) {
        return failure(what, process, null);
    }

    private QemuException failure(String what, QemuProcess process, @Nullable IOException cause) {
        return new QemuException(name + ": " + what + "\n" + process.describe(), cause);
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new QemuException(name + ": cannot stop listening", e);
        }
    }
}
