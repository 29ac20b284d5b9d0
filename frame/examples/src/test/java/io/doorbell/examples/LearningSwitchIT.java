package io.doorbell.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestProcess;
import io.doorbell.qemu.guest.GuestResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The switch between two virtual machines: QEMU is the front-end of each, and Linux the driver. */
@Timeout(600)
class LearningSwitchIT {

    private static final int MEMORY_MIB = 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** A NIC whose driver wants checksums in place, and frames of the size that the wire has. */
    private static final String UNABLE = ",guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,"
            + "guest_uso4=off,guest_uso6=off";

    /** What iperf3's server has told its client. */
    private static final Pattern RECEIVED = Pattern.compile("\"sum_received\":\\s*\\{[^}]*\"bytes\":\\s*([0-9]+)");

    @TempDir
    private static Path dir;

    private static RunningExample running;
    private static GuestMachine first;
    private static GuestMachine second;

    @BeforeAll
    static void boot() throws Exception {
        running = new RunningExample(
                () -> LearningSwitch.main("vhost-user-backend:" + socket(1), "vhost-user-backend:" + socket(2)));
        running.awaitSocket(socket(1));
        running.awaitSocket(socket(2));
        first = boot(1, "");
        second = boot(2, UNABLE);
    }

    @AfterAll
    static void end() {
        Stream.of(first, second, running).filter(each -> each != null).forEach(LearningSwitchIT::close);
    }

    private static void close(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Path socket(int guest) {
        return dir.resolve("guest" + guest + ".sock");
    }

    private static GuestMachine boot(int number, String features) {
        String mac = "52:54:00:00:00:0" + number;
        GuestMachine guest = GuestMachine.builder()
                .memoryMiB(MEMORY_MIB)
                .qemu("-object", "memory-backend-memfd,id=shared,size=" + MEMORY_MIB + "M,share=on")
                .qemu("-machine", "memory-backend=shared")
                .qemu("-chardev", "socket,id=vhost,reconnect-ms=100,path=" + socket(number))
                .qemu("-netdev", "vhost-user,id=port,chardev=vhost")
                .qemu(
                        "-device",
                        "virtio-net-pci,addr=0x1c,romfile=,disable-legacy=on,netdev=port,mac=" + mac + features)
                .start();
        try {
            guest.load("virtio_net");
            guest.run(GuestMachine.tool("sh"), "-c", """
                    for i in 1 2 3 4 5 6 7 8 9 10; do
                        nic=$(cd /sys/class/net && grep -l %s */address | cut -d/ -f1)
                        [ -n "$nic" ] && break
                        sleep 1
                    done
                    %s addr add 10.9.0.%d/24 dev $nic && %2$s link set $nic up && %2$s link set lo up
                    """.formatted(mac, GuestMachine.tool("ip"), number))
                    .orThrow();
            return guest;
        } catch (RuntimeException e) {
            try (guest) {
                throw e;
            }
        }
    }

    /** With packets of the largest size too. */
    private static void ping(GuestMachine from, int to) {
        from.run(PATIENCE, GuestMachine.tool("sh"), "-c", """
                for i in 1 2 3 4 5 6 7 8 9 10; do
                    %1$s -c 20 -i 0.05 -W 2 10.9.0.%2$d | grep ' 0%% packet loss' &&
                    %1$s -c 20 -i 0.05 -W 2 -s 1472 10.9.0.%2$d | grep ' 0%% packet loss' && exit 0
                done
                exit 1
                """.formatted(GuestMachine.tool("ping"), to))
                .orThrow();
    }

    @Test
    void letsTwoGuestsPingEachOther() {
        ping(first, 2);
        ping(second, 1);
    }

    @Test
    void carriesTcpBetweenTwoGuestsBothWays() {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":", -1))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "iperf3"))),
                "SKIPPED: there is no iperf3 on the PATH, which the guests share (Debian: iperf3)");
        carries(first, second, "10.9.0.2");
        carries(second, first, "10.9.0.1");
        checksumsWereRight(first);
        checksumsWereRight(second);
    }

    /** As the kernel counts them that received, and as it looks at them where its NIC has not: by software. */
    private static void checksumsWereRight(GuestMachine guest) {
        GuestResult result = guest.run(GuestMachine.tool("cat"), "/proc/net/snmp");
        List<String> tcp = result.orThrow()
                .stdout()
                .lines()
                .filter(line -> line.startsWith("Tcp:"))
                .toList();
        List<String> names = List.of(tcp.get(0).split(" "));
        String[] values = tcp.get(1).split(" ");
        assertThat(Long.parseLong(values[names.indexOf("InSegs")])).isPositive();
        assertThat(values[names.indexOf("InCsumErrors")]).isEqualTo("0");
    }

    private static void carries(GuestMachine client, GuestMachine server, String address) {
        GuestProcess serving = server.spawn("iperf3", "--server", "--one-off", "--forceflush");
        serving.awaitLine("Server listening", PATIENCE);
        GuestResult sent = client.run(PATIENCE, "iperf3", "--client", address, "--bytes", "16M", "--json");
        sent.orThrow();
        serving.await(PATIENCE).orThrow();
        Matcher received = RECEIVED.matcher(sent.stdout());
        assertThat(received.find()).as(sent.stdout()).isTrue();
        // What is on its way, or in the server's socket, when the client says that it is done does not count.
        assertThat(Long.parseLong(received.group(1))).as(sent.stdout()).isGreaterThan(12 << 20);
    }
}
