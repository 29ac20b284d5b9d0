package io.doorbell.bench.load;

import io.doorbell.bench.workload.Workload;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/** The JDK's: a {@code DatagramChannel} over loopback, to a port that the receiver chooses. */
public final class DatagramEnd extends SocketEnd {

    /** What is left of a frame behind the headers of Ethernet, IPv4 and UDP. */
    private static final int PAYLOAD = Workload.LENGTH - 42;

    public static void main(String[] arguments) throws Throwable {
        new DatagramEnd().serve();
    }

    @Override
    String receive(String where) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).configureBlocking(false);
        String port = String.valueOf(((InetSocketAddress) channel.getLocalAddress()).getPort());
        start(() -> {
            try (channel) {
                ByteBuffer datagram = ByteBuffer.allocateDirect(2048);
                long count = 0;
                while (goesOn()) {
                    if (channel.receive(datagram) != null) {
                        passed(++count);
                        datagram.clear();
                    }
                }
            }
        });
        return port;
    }

    @Override
    String send(String port) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port)));
        start(() -> {
            try (channel) {
                ByteBuffer datagram = ByteBuffer.allocateDirect(PAYLOAD);
                long count = 0;
                while (goesOn()) {
                    channel.write(datagram.clear());
                    passed(++count);
                }
            }
        });
        return port;
    }
}
