package io.doorbell.virtio.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.Nic;
import io.doorbell.frame.NicConfig;
import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestResult;
import io.doorbell.virtio.vhost.frontend.VhostUserNicTest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our back-end, with QEMU as the front-end and Linux as the driver: the guest pings through it. */
@Timeout(600)
@Tag("guest")
class VhostBackendGuestIT {

    private static final String GUEST_MAC = "52:54:00:00:00:01";

    @TempDir
    private Path dir;

    /** A back-end that answers ARP and pings for 10.9.0.2, on a thread of its own, until it is closed. */
    private static final class Responder implements AutoCloseable {

        private static final int ETHER_TYPE = 12;
        private static final short ARP = 0x0806;
        private static final short IP4 = 0x0800;
        private static final int ARP_REPLY_AT = 20;
        private static final int ARP_SENDER = 22;
        private static final int ARP_TARGET = 32;
        private static final int ARP_BYTES = 10;
        private static final int PROTOCOL = 23;
        private static final int ICMP = 1;
        private static final int SOURCE = 26;
        private static final int DESTINATION = 30;
        private static final int ICMP_TYPE = 34;
        private static final int ICMP_SUM = 36;
        private static final int ADDRESS = 0x0a09_0002;

        private final Nic nic;
        private final Thread thread;
        private volatile boolean ends;

        Responder(Path socket) {
            nic = Nic.open("vhost-user-backend:" + socket, NicConfig.defaults());
            thread = Thread.ofPlatform().daemon().start(this::run);
        }

        private void run() {
            FrameBatch in = new FrameBatch(32);
            while (!ends) {
                if (nic.rxQueue(0).receive(in) == 0) {
                    LockSupport.parkNanos(100_000);
                }
                for (int i = in.size() - 1; i >= 0; i--) {
                    if (!answer(in.frame(i))) {
                        in.release(i);
                    }
                }
                nic.txQueue(0).send(in);
                in.release();
            }
        }

        /** Turns a request into its answer. */
        private boolean answer(Frame frame) {
            if (frame.length() < 42) {
                return false;
            }
            if (frame.getShort(ETHER_TYPE) == ARP && frame.getInt(ARP_TARGET + 6) == ADDRESS) {
                MacAddress asker = frame.getMac(ARP_SENDER);
                int askerAddress = frame.getInt(ARP_SENDER + 6);
                frame.setMac(0, asker);
                frame.setMac(6, nic.macAddress());
                frame.setShort(ARP_REPLY_AT, (short) 2);
                frame.setMac(ARP_SENDER, nic.macAddress());
                frame.setInt(ARP_SENDER + 6, ADDRESS);
                frame.setMac(ARP_SENDER + ARP_BYTES, asker);
                frame.setInt(ARP_TARGET + 6, askerAddress);
                return true;
            }
            boolean ping = frame.getShort(ETHER_TYPE) == IP4
                    && frame.getByte(PROTOCOL) == ICMP
                    && frame.getShort(ICMP_TYPE) == 0x0800;
            if (!ping) {
                return false;
            }
            frame.swapMacs();
            int source = frame.getInt(SOURCE);
            frame.setInt(SOURCE, frame.getInt(DESTINATION));
            frame.setInt(DESTINATION, source);
            frame.setShort(ICMP_TYPE, (short) 0);
            int sum = Short.toUnsignedInt(frame.getShort(ICMP_SUM)) + 0x0800;
            frame.setShort(ICMP_SUM, (short) (sum + (sum >>> 16)));
            return true;
        }

        @Override
        public void close() {
            ends = true;
            try {
                assertThat(thread.join(VhostUserNicTest.SOON)).isTrue();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            nic.close();
        }
    }

    private static GuestMachine boot(Path socket, String properties) {
        return GuestMachine.builder()
                .qemu("-object", "memory-backend-memfd,id=shared,size=2048M,share=on")
                .qemu("-machine", "memory-backend=shared")
                .qemu("-chardev", "socket,id=vhost,reconnect-ms=100,path=" + socket)
                .qemu("-netdev", "vhost-user,id=back,chardev=vhost")
                .qemu(
                        "-device",
                        "virtio-net-pci,addr=0x1c,romfile=,disable-legacy=on,netdev=back,mac=" + GUEST_MAC + ","
                                + properties)
                .start();
    }

    private static void load(GuestMachine guest) {
        guest.run("modprobe", "virtio_net").orThrow();
        guest.run("sh", "-c", """
                for i in 1 2 3 4 5 6 7 8 9 10; do
                    nic=$(cd /sys/class/net && grep -l %s */address | cut -d/ -f1)
                    [ -n "$nic" ] && break
                    sleep 1
                done
                busybox ip addr add 10.9.0.1/24 dev $nic && busybox ip link set $nic up
                """.formatted(GUEST_MAC)).orThrow();
    }

    private static void ping(GuestMachine guest) {
        GuestResult result = guest.run(Duration.ofSeconds(120), "sh", "-c", """
                for i in 1 2 3 4 5 6 7 8 9 10; do
                    busybox ping -c 20 -i 0.05 -W 2 10.9.0.2 | grep ' 0% packet loss' && exit 0
                done
                busybox ip addr; exit 1
                """);
        result.orThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"packed=off", "packed=on"})
    void servesLinuxHoweverOftenItsDriverOrQemuOrTheBackEndStart(String properties) {
        Path socket = dir.resolve("vhost.sock");
        Responder responder = new Responder(socket);
        try {
            try (GuestMachine guest = boot(socket, properties)) {
                load(guest);
                ping(guest);
                guest.run("rmmod", "virtio_net").orThrow();
                load(guest);
                ping(guest);
                for (int i = 0; i < 3; i++) {
                    responder.close();
                    responder = new Responder(socket);
                    ping(guest);
                }
            }
            try (GuestMachine next = boot(socket, properties)) {
                load(next);
                ping(next);
            }
        } finally {
            responder.close();
        }
    }
}
