package io.doorbell.qemu;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** Two connected ends of a unix stream, without a QEMU. */
public record SocketPair(UnixChannel left, UnixChannel right) implements AutoCloseable {

    public static SocketPair open(Path folder) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("s"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            SocketChannel left = SocketChannel.open(address);
            return new SocketPair(
                    new UnixChannel(left, "left", () -> "(log)"),
                    new UnixChannel(server.accept(), "right", () -> "(log)"));
        }
    }

    @Override
    public void close() {
        left.close();
        right.close();
    }
}
