package io.doorbell.qemu.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.QemuException;
import io.doorbell.qemu.link.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One guest for all that leaves it as it was. */
@Timeout(180)
@Tag("guest")
class GuestMachineIT {

    private static final String KERNEL_MAC = "52:54:00:00:00:02";

    @TempDir
    static Path folder;

    private static Path pcap;
    private static GuestMachine guest;

    @BeforeAll
    static void boot() {
        pcap = folder.resolve("igb.pcap");
        guest = GuestMachine.builder()
                .hugePages(8)
                .nic("igb", "52:54:00:00:00:01", Wire.hub(0))
                .nic("virtio-net-pci", KERNEL_MAC, Wire.hub(0))
                .nic("e1000e", "52:54:00:00:00:03", Wire.cable(0))
                .capture(0, pcap)
                .start();
    }

    @AfterAll
    static void end() {
        guest.close();
        assertThat(folder.resolve("from-the-guest")).doesNotExist();
    }

    @Test
    void seesTheFilesOfTheHostUnderTheirOwnNames() throws IOException {
        Path file = Files.writeString(Files.createTempFile(folder, "it's here ", ""), "content");
        assertThat(guest.run("cat", file.toString()).orThrow().stdout()).isEqualTo("content");
    }

    @Test
    void findsTheProgramsOfTheHostBeforeThoseOfTheLab() {
        assertThat(guest.run("sh", "-c", "command -v env; command -v usleep")
                        .orThrow()
                        .stdout())
                .isEqualTo("/usr/bin/env\n" + GuestMachine.tool("usleep") + "\n");
    }

    @Test
    void keepsItsWritesFromTheHost() {
        Path file = folder.resolve("from-the-guest");
        assertThat(guest.run("sh", "-c", "echo x >'" + file + "' && cat '" + file + "'")
                        .orThrow()
                        .stdout())
                .isEqualTo("x\n");
        assertThat(file).doesNotExist();
    }

    @Test
    void runsTheJavaOfThisJvm() {
        List<String> command = GuestMachine.java(Hello.class.getName(), "an argument", "$HOME 'quoted'");
        assertThat(guest.run(command).orThrow().stdout())
                .isEqualTo(Runtime.version() + "\nan argument\n$HOME 'quoted'\n");
    }

    @Test
    void reportsStatusAndBothOutputsOfACommand() {
        GuestResult result = guest.run("sh", "-c", "echo out; echo err >&2; exit 3");
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.stdout()).isEqualTo("out\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThatThrownBy(result::orThrow).hasMessageContainingAll("status 3", "out", "err");
    }

    @Test
    void runsCommandsAtTheSameTimeAndPassesOnTheirLinesAsTheyAppear() {
        GuestProcess first =
                guest.spawn("sh", "-c", "echo first; until [ -e /tmp/second ]; do sleep 0.1; done; echo met");
        assertThat(first.awaitLine("fir", Duration.ofSeconds(30))).isEqualTo("first");
        assertThat(first.isAlive()).isTrue();
        guest.run("touch", "/tmp/second").orThrow();
        List<String> lines = new ArrayList<>();
        first.await(Duration.ofSeconds(30), lines::add).orThrow();
        assertThat(lines).containsExactly("first", "met");
    }

    @Test
    void killsACommandAndAllThatItStarted() {
        GuestProcess process = guest.spawn("sh", "-c", "sleep 12345 & echo started; wait");
        process.awaitLine("started", Duration.ofSeconds(30));
        process.kill();
        assertThat(process.await(Duration.ofSeconds(30)).exit()).isEqualTo(128 + 9);
        assertThat(guest.run("busybox", "sh", "-c", "! pgrep -f '[s]leep 12345'")
                        .exit())
                .isZero();
    }

    @Test
    void letsACommandHeedAnInterrupt() {
        GuestProcess process = guest.spawn("sh", "-c", "trap 'echo interrupted; exit 0' INT; echo started; sleep 1000");
        process.awaitLine("started", Duration.ofSeconds(30));
        process.signal("INT");
        assertThat(process.await(Duration.ofSeconds(30)).orThrow().stdout()).endsWith("interrupted\n");
    }

    @Test
    void killsACommandWhoseTimeIsOverAndShowsWhatItPrinted() {
        assertThatThrownBy(() -> guest.run(Duration.ofSeconds(1), "sh", "-c", "echo before; sleep 1000"))
                .isInstanceOf(QemuException.class)
                .hasMessageContainingAll("sleep 1000", "did not end within 1.0 s", "before", "QEMU runs");
        assertThat(guest.run("echo", "still there").orThrow().stdout()).isEqualTo("still there\n");
    }

    @Test
    void putsEachNicAtItsAddressAndInAnIommuGroupOfItsOwn() {
        for (GuestNic nic : guest.nics()) {
            String members = guest.run("ls", "/sys/bus/pci/devices/" + nic.address() + "/iommu_group/devices")
                    .orThrow()
                    .stdout();
            assertThat(members).isEqualTo(nic.address() + "\n");
        }
        assertThat(guest.run("cat", "/sys/bus/pci/devices/" + guest.nic(0).address() + "/device")
                        .stdout())
                .isEqualTo("0x10c9\n");
    }

    @Test
    void offersVfioAndHugepages() {
        guest.load("vfio-pci");
        guest.load("vfio-pci", "vfio_iommu_type1"); // what is there already is passed over
        assertThat(guest.run("ls", "/dev/vfio").orThrow().stdout()).contains("vfio");
        assertThat(guest.run("cat", "/proc/sys/vm/nr_hugepages").stdout()).isEqualTo("8\n");
    }

    @Test
    void hasWhatTheHostsModprobeFindsModulesBy() {
        guest.run("modprobe", "dummy").orThrow();
        assertThat(guest.run("ls", "/sys/module").orThrow().stdout()).contains("dummy\n");
    }

    @Test
    void joinsTwoNicsByAHubSoThatTheKernelReachesItself() throws IOException {
        guest.load("igb", "virtio_net");
        guest.run("sh", "-ec", """
                PATH=%s
                nic() { basename "$(echo /sys/bus/pci/devices/$1/net/* /sys/bus/pci/devices/$1/virtio*/net/* | tr ' ' '\\n' | grep -v '[*]')"; }
                far=$(nic %s) near=$(nic %s)
                # a network stack of its own for one end: else the kernel would talk to itself without a wire
                unshare -n sleep 1000 & there=$!
                until ip link set dev "$far" netns $there 2>/dev/null && ! [ -e /sys/class/net/$far ]; do sleep 0.1; done
                beyond() { nsenter -t $there -n "$@"; }
                beyond ip addr add 10.9.0.2/24 dev "$far"; beyond ip link set dev "$far" up
                ip addr add 10.9.0.1/24 dev "$near"; ip link set dev "$near" up
                ping -c 3 -w 20 10.9.0.2
                kill $there
                """.formatted(
                        GuestMachine.TOOLS, guest.nic(1).address(), guest.nic(0).address()))
                .orThrow();
        assertThat(Files.size(pcap)).isGreaterThan(6 * 98);
    }

    @Test
    void givesTheOtherEndOfACableToThisJvm() {
        guest.load("e1000e");
        guest.run("sh", "-ec", """
                PATH=%s
                nic=$(ls /sys/bus/pci/devices/%s/net)
                sysctl -q -w net.ipv6.conf.$nic.disable_ipv6=1
                ip link set $nic up
                until [ "$(cat /sys/class/net/$nic/carrier)" = 1 ]; do sleep 0.1; done
                ip addr add 10.8.0.1/24 dev $nic
                ping -c 1 -w 1 10.8.0.2 || true # nobody answers; asking is enough
                """.formatted(GuestMachine.TOOLS, guest.nic(2).address()))
                .orThrow();
        byte[] frame = guest.peer(Wire.cable(0)).receive(Duration.ofSeconds(30));
        assertThat(frame[12] << 8 | frame[13]).as("ethertype: ARP").isEqualTo(0x0806);
    }

    @Test
    void unplugsACableOverQmp() {
        guest.qmp().setLink(guest.nic(2).id(), false);
        guest.qmp().setLink(guest.nic(2).id(), true);
        assertThat(guest.qmp().execute("query-status").toString()).contains("running");
    }

    static final class Hello {
        public static void main(String[] arguments) {
            System.out.println(Runtime.version());
            for (String argument : arguments) {
                System.out.println(argument);
            }
        }
    }
}
