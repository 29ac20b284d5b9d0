package io.doorbell.tools.bench;

import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.Nic;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;

/**
 * One end of what {@link SocketsScenario} compares, in a JVM of its own. Each line is answered with one: {@code nic WORK
 * NAME} works with a NIC, {@code receive} receives datagrams and answers with their port, {@code send PORT} sends some;
 * {@code count} answers with frames so far and the time in nanoseconds; {@code stop} ends the work.
 */
final class SocketEnd {

    private static final int BATCH = 32;
    private static final int POLLS = 100;
    /** What is left of a frame behind the headers of Ethernet, IPv4 and UDP. */
    private static final int PAYLOAD = Work.LENGTH - 42;

    private Thread worker = new Thread(() -> {});
    private volatile long frames;
    private volatile boolean stopped;

    private SocketEnd() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        new SocketEnd().serve(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
    }

    private void serve(BufferedReader input) throws IOException, InterruptedException {
        String line;
        while ((line = input.readLine()) != null) {
            String[] words = line.split(" ", -1);
            System.out.println(
                    switch (words[0]) {
                        case "nic" -> nic(Work.valueOf(words[1]), words[2]);
                        case "receive" -> receive();
                        case "send" -> send(Integer.parseInt(words[1]));
                        case "count" -> frames + " " + System.nanoTime();
                        default -> stop();
                    });
        }
    }

    private String nic(Work work, String name) {
        Nic nic = Nic.open(name);
        return start(() -> {
            try (nic) {
                FrameBatch batch = new FrameBatch(BATCH);
                long count = 0;
                while (!stopped) {
                    count += work.poll(nic, batch, POLLS);
                    frames = count;
                }
                batch.release();
            }
        });
    }

    private String receive() throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).configureBlocking(false);
        start(() -> {
            try (channel) {
                ByteBuffer datagram = ByteBuffer.allocateDirect(2048);
                long count = 0;
                while (!stopped) {
                    if (channel.receive(datagram) != null) {
                        frames = ++count;
                        datagram.clear();
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return String.valueOf(((InetSocketAddress) channel.getLocalAddress()).getPort());
    }

    private String send(int port) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return start(() -> {
            try (channel) {
                ByteBuffer datagram = ByteBuffer.allocateDirect(PAYLOAD);
                long count = 0;
                while (!stopped) {
                    channel.write(datagram.clear());
                    frames = ++count;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private String start(Runnable work) {
        frames = 0;
        stopped = false;
        worker = Thread.ofPlatform().daemon().name("worker").start(work);
        return "started";
    }

    private String stop() throws InterruptedException {
        stopped = true;
        worker.join();
        return "stopped";
    }
}
