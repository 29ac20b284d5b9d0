package io.doorbell.qemu.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.pci.ConfigSpace;
import io.doorbell.qemu.link.Wire;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * VFIO as the kernel does it, with an igb in an IOMMU group of its own and two virtio NICs behind a conventional PCI
 * bridge, which the IOMMU cannot tell apart. A JVM takes its time to start there, hence several steps in each.
 */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("guest")
class VfioIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static GuestMachine guest;
    private static String nic;

    @BeforeAll
    static void boot() {
        guest = GuestMachine.builder()
                .nic("igb", "52:54:00:00:00:01", Wire.hub(0))
                .qemu("-device", "pcie-root-port,id=legacyport,chassis=99,addr=0x1c")
                .qemu("-device", "pcie-pci-bridge,id=legacy,bus=legacyport")
                .qemu("-device", "virtio-net-pci,bus=legacy,addr=1,romfile=,disable-legacy=on,iommu_platform=on")
                .qemu("-device", "virtio-net-pci,bus=legacy,addr=2,romfile=,disable-legacy=on,iommu_platform=on")
                .start();
        nic = guest.nic(0).address().toString();
        guest.load("igb", "vfio-pci", "vfio_iommu_type1");
    }

    @AfterAll
    static void end() {
        guest.close();
    }

    @Test
    @Order(1)
    void drivesAFunctionOnPagesOfEitherSize() {
        assertThat(steps(
                        "open",
                        nic,
                        "bind",
                        nic,
                        "bind",
                        nic,
                        "hugepages",
                        "4",
                        "tour",
                        nic,
                        "hugepages",
                        "0",
                        "tour",
                        nic))
                .containsExactly(
                        "error " + nic
                                + " is bound to igb, and only a function that is bound to vfio-pci can be opened:"
                                + " run 'nicctl bind " + nic + "' as root",
                        "id 8086:10c9",
                        "config 4096 bytes",
                        "capabilities Power Management, MSI, MSI-X, PCI Express, Advanced Error Reporting,"
                                + " Alternative Routing-ID, SR-IOV",
                        "interrupts InterruptInfo[intx=1, msi=1, msix=10]",
                        "BAR 0 131072 bytes, BAR 3 16384 bytes",
                        "LEDCTL 12345678",
                        "ports see LEDCTL 12345678",
                        "MSI-X vector 0 is masked",
                        "region of 2097152 bytes on pages of 2097152, aligned so",
                        "registered 8192 bytes",
                        "reset true, bus mastering off, LEDCTL of power-on",
                        "opened again, STATUS present",
                        "region of 4096 bytes on pages of 4096, aligned so");
    }

    @Test
    @Order(2)
    void survivesProcessesThatHoldAFunctionAndAreEnded() {
        bindByHand();
        GuestProcess killed = hold();
        String pid = killed.awaitLine("holding in ", PATIENCE).substring("holding in ".length());
        assertThat(steps("open", nic, "restore", nic))
                .containsExactly(
                        "error " + nic + " is in use: /dev/vfio/" + group(nic) + " is held by process " + pid
                                + " (java); end it, or open another function",
                        "error " + nic + " is in use by process " + pid + " (java), which holds /dev/vfio/" + group(nic)
                                + ": end it first");
        killed.kill();
        killed.await(PATIENCE);

        GuestProcess terminated = hold();
        terminated.awaitLine("holding in ", PATIENCE);
        terminated.signal("TERM");
        GuestResult ended = terminated.await(PATIENCE);
        assertThat(ended.exit()).isEqualTo(128 + 15);
        assertThat(ended.stderr()).doesNotContain("is not quiet");
        assertThat(command() & ConfigSpace.COMMAND_BUS_MASTER).isZero();

        assertThat(steps("open", nic, "restore", nic)).containsExactly("restored " + nic + " to igb");
        assertThat(link(nic, "driver")).isEqualTo("igb");
    }

    @Test
    @Order(3)
    void saysWhatAProcessOfFewRightsLacks() {
        bindByHand();
        String group = "/dev/vfio/" + group(nic);
        // Root may lock what it likes, by one capability, and open what it likes, by two others.
        assertThat(run(
                        List.of(
                                "/usr/bin/prlimit",
                                "--memlock=65536:65536",
                                "/usr/bin/setpriv",
                                "--bounding-set=-ipc_lock"),
                        "hugepages",
                        "0",
                        "allocate",
                        nic))
                .singleElement()
                .asString()
                .startsWith(
                        "error VFIO_IOMMU_MAP_DMA failed: ENOMEM (Cannot allocate memory), iova=0x100000 size=1 MiB:"
                                + " the memlock limit is 64 KiB, and 1048576 bytes (1 MiB) are needed")
                .contains("'ulimit -l 1024'");

        guest.run("chown", "65534", group).orThrow();
        assertThat(run(List.of("/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search"), "open", nic))
                .singleElement()
                .asString()
                .startsWith("error no permission to open " + group + " (owner nobody, group root, mode rw-------):"
                        + " EACCES")
                .contains("chown $USER " + group);
        guest.run("chown", "0", group).orThrow();
    }

    @Test
    @Order(4)
    void opensTheFunctionsOfOneGroupOnceAllAreOurs() {
        List<String> members = virtioNics();
        assertThat(members).hasSize(2);
        String first = members.get(0);
        String second = members.get(1);
        assertThat(group(first)).as("one group").isEqualTo(group(second));
        assertThat(steps(
                        "bind",
                        first,
                        "open",
                        first,
                        "bind",
                        second,
                        "pair",
                        first + "," + second,
                        "restore",
                        first,
                        "restore",
                        second))
                .containsExactly(
                        "error IOMMU group " + group(first) + " of " + first + " is not viable: the kernel uses "
                                + second
                                + " (virtio-pci) of it, and the IOMMU cannot keep the functions of a group apart: bind all"
                                + " of them to vfio-pci ('nicctl bind ADDRESS'), or put the NIC into a slot with a group"
                                + " of its own",
                        "both, at different device addresses",
                        "the second alone",
                        "the first again",
                        "restored " + first + " to virtio-pci",
                        "restored " + second + " to virtio-pci");
    }

    /** What each step printed; of a line that appears again, the first only. */
    private static List<String> steps(String... steps) {
        return run(List.of(), steps);
    }

    private static List<String> run(List<String> prefix, String... steps) {
        return guest.run(PATIENCE, command(prefix, steps))
                .orThrow()
                .stdout()
                .lines()
                .distinct()
                .toList();
    }

    private static GuestProcess hold() {
        return guest.spawn(command(List.of(), "hold", nic));
    }

    private static List<String> command(List<String> prefix, String... steps) {
        List<String> java = GuestMachine.java(List.of("-XX:TieredStopAtLevel=1"), VfioSteps.class.getName(), steps);
        return Stream.concat(prefix.stream(), java.stream()).toList();
    }

    /** As a person does it without Doorbell; nothing happens if it is bound. */
    private static void bindByHand() {
        guest.run("sh", "-ec", """
                cd /sys/bus/pci/devices/%1$s
                [ "$(basename "$(readlink driver)")" = vfio-pci ] && exit
                echo vfio-pci >driver_override
                [ -e driver ] && echo %1$s >driver/unbind
                echo %1$s >/sys/bus/pci/drivers_probe
                """.formatted(nic)).orThrow();
    }

    /** The low byte of the igb's COMMAND register. */
    private static int command() {
        String bytes = guest.run("od", "-An", "-tu1", "-j4", "-N1", "/sys/bus/pci/devices/" + nic + "/config")
                .orThrow()
                .stdout();
        return Integer.parseInt(bytes.strip());
    }

    private static String group(String address) {
        return link(address, "iommu_group");
    }

    private static String link(String address, String name) {
        String target = guest.run("readlink", "/sys/bus/pci/devices/" + address + "/" + name)
                .orThrow()
                .stdout()
                .strip();
        return target.substring(target.lastIndexOf('/') + 1);
    }

    private static List<String> virtioNics() {
        return guest.run("sh", "-c", "cd /sys/bus/pci/devices; grep -l 0x1041 */device | cut -d/ -f1")
                .orThrow()
                .stdout()
                .lines()
                .toList();
    }
}
