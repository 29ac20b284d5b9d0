package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.guest.GuestMachine;
import io.doorbell.qemu.guest.GuestResult;
import io.doorbell.tools.GuestScript.Outcome;
import io.doorbell.tools.lab.JavaOptions;
import io.doorbell.tools.lab.Lab;
import io.doorbell.tools.text.Json;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands on a real bus, real drivers and a real IOMMU: those of a guest's Linux. */
@Tag("guest")
class NicCtlIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String IGB = "0000:01:00.0";

    @Test
    void takesANicFromTheKernelLooksAtItAndGivesItBack() {
        Iterator<Outcome> outcomes = run(
                "list",
                "info " + IGB,
                "$ ip address add 192.0.2.9/24 dev $(ls /sys/bus/pci/devices/" + IGB + "/net)",
                "$ ip link set $(ls /sys/bus/pci/devices/" + IGB + "/net) up",
                "bind " + IGB,
                "$ ip address flush dev $(ls /sys/bus/pci/devices/" + IGB + "/net)",
                "$ ip route add default dev $(ls /sys/bus/pci/devices/" + IGB + "/net)",
                "bind " + IGB,
                "bind --force " + IGB,
                "bind " + IGB,
                "list --json",
                "info " + IGB,
                "info --json " + IGB,
                "regs " + IGB,
                "regs --json --filter status " + IGB,
                "regs --filter frob " + IGB,
                "stats --seconds 1 " + IGB,
                "link " + IGB,
                "link --json " + IGB,
                "clock --set-from-system " + IGB,
                "clock --json " + IGB,
                "selftest --offline " + IGB,
                "nvm " + IGB,
                "flows " + IGB,
                "identify --seconds 1 " + IGB,
                "restore --json " + IGB,
                "unbind " + IGB,
                "restore --all");

        Outcome list = succeeded(outcomes.next());
        assertThat(list.out().lines().toList())
                .hasSize(4)
                .anyMatch(line -> line.matches(IGB + " +8086:10c9 .* igb +eth\\d .*igb"))
                .anyMatch(line -> line.matches("0000:02:00.0 +1af4:1041 .* virtio-pci +eth\\d .*"));

        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("kernel driver +igb")
                .containsPattern("opened +no: 0000:01:00.0 is bound to igb, not to vfio-pci")
                .containsPattern("IOMMU group +\\d+, alone in it")
                .containsPattern("memory for DMA +ordinary pages; no hugepages free: 0 of 0; reserve some with")
                .containsPattern("0 +0x[0-9a-f]+ +128 KiB +memory")
                .containsPattern("MSI-X +0x11 ");

        assertThat(failed(outcomes.next()).err())
                .matches("(?s)nicctl: 0000:01:00.0 is in use: eth\\d is up with address 192.0.2.9: taking it would.*");
        assertThat(failed(outcomes.next()).err())
                .matches("(?s)nicctl: 0000:01:00.0 is in use: eth\\d carries a default route: taking it would.*");
        Outcome forced = outcomes.next();
        assertThat(forced.status()).as("%s", forced).isZero();
        assertThat(forced.out()).isEqualTo("0000:01:00.0: from igb to vfio-pci\n");
        assertThat(forced.err())
                .matches(
                        "nicctl: warning: taking 0000:01:00.0 although it is in use: eth\\d carries a default route\n");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: has vfio-pci already\n");
        assertThat(succeeded(outcomes.next()).out())
                .contains("\"driver\" : \"vfio-pci\"", "\"doorbell\" : \"igb\"", "\"interface\" : null");

        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("opened +as Intel 82576")
                .containsPattern("MAC address +" + Lab.IGB.mac())
                .containsPattern("link +up, 1000 Mb/s, full duplex")
                .containsPattern("interrupts +MSI-X: 10, MSI: 1, INTx: 1")
                .containsPattern("DMA addresses +0x0-0xfedfffff\\n +0xfef00000-0x")
                .containsPattern("0 +0x[0-9a-f]+ +128 KiB +memory.* all");
        Map<String, Object> info = Json.read(succeeded(outcomes.next()).out());
        assertThat(info).containsEntry("address", IGB).containsEntry("driver", "vfio-pci");
        assertThat((Map<?, ?>) info.get("opened")).hasFieldOrPropertyWithValue("mac", Lab.IGB.mac());

        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("\nCTRL +0x00000 +0x[0-9a-f]{8}")
                .containsPattern("\nRAL\\[0] +0x05400 +0x00005452");
        assertThat(succeeded(outcomes.next()).out()).contains("\"name\" : \"STATUS\"", "\"offset\" : 8");
        assertThat(failed(outcomes.next()).err()).contains("has 'frob' in its name");
        assertThat(succeeded(outcomes.next()).out())
                .contains("Intel 82576, " + Lab.IGB.mac(), "FRAMES/S")
                .containsPattern("rxFrames +\\d");

        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("link +up, 1000 Mb/s, full duplex")
                .containsPattern("offered by the other end +10 Mb/s half duplex\\n +10 Mb/s full duplex\\n +100 Mb/s")
                .containsPattern("flow control agreed on +BOTH");
        assertThat(succeeded(outcomes.next()).out())
                .contains("\"megabitsPerSecond\" : 1000", "\"crossover\" : \"AUTO\"", "\"flowControl\" : \"BOTH\"");
        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("drift +[+-]\\d+ ppb against the system's")
                .containsPattern("rate +\\+0.000 ppb, of -999999880 to \\+999999880");
        assertThat(succeeded(outcomes.next()).out()).contains("\"PTP_V2_EVENT\"", "\"driftPartsPerBillion\" : ");
        assertThat(succeeded(outcomes.next()).out())
                .containsPattern("registers +passed")
                .containsPattern("(?i)nvm +passed")
                .containsPattern("interrupts +passed")
                .containsPattern("loopback +passed")
                .containsPattern("link +passed +up, 1000 Mb/s");
        assertThat(succeeded(outcomes.next()).out()).contains("MAC address", "PBA number");
        assertThat(succeeded(outcomes.next()).out()).containsIgnoringCase("ethertype");
        assertThat(succeeded(outcomes.next()).out()).contains("blinks for 1 s");
        assertThat(succeeded(outcomes.next()).out()).contains("\"from\" : \"vfio-pci\"", "\"to\" : \"igb\"");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from igb to no driver\n");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from no driver to igb\n");
    }

    /** Each line of it is undone by the next, so that the following refusal has one reason only. */
    @Test
    void refusesANicThatTheMachineUsesInOneWayOrAnother() {
        String net = "N=$(ls /sys/bus/pci/devices/" + IGB + "/net); ";
        Iterator<Outcome> outcomes = run(
                "$ " + net + "ip link add br0 type bridge && ip link set $N master br0",
                "bind " + IGB,
                "$ " + net + "ip link set $N nomaster && ip link del br0",
                "$ " + net + "ip link add link $N name up0 type vlan id 7 && ip link set $N up && ip link set up0 up"
                        + " && ip address add 192.0.2.9/24 dev up0 && ip route add default dev up0",
                "bind " + IGB,
                "$ " + net + "ip link del up0",
                "$ " + net + "ip route add 198.51.100.0/24 dev $N table 100",
                "bind " + IGB,
                "$ " + net + "ip route flush table 100",
                "$ " + net + "ip -6 route add 2001:db8::/32 dev $N table 200",
                "bind " + IGB,
                "$ " + net + "ip link set $N down",
                "$ echo 1 > /sys/bus/pci/devices/" + IGB + "/sriov_numvfs",
                "bind " + IGB,
                "$ echo 0 > /sys/bus/pci/devices/" + IGB + "/sriov_numvfs",
                "$ " + net + "unshare -n sleep 600 </dev/null >/dev/null 2>&1 & echo $! > /tmp/elsewhere; sleep 2; "
                        + net + "ip link set $N netns $(cat /tmp/elsewhere)",
                "bind " + IGB,
                "$ kill $(cat /tmp/elsewhere); sleep 2",
                "bind " + IGB);

        assertThat(failed(outcomes.next()).err())
                .matches(inUse("eth\\d is part of br0 \\(bridge\\)(; .* promiscuous.*)?"));
        assertThat(failed(outcomes.next()).err()).matches(inUse("eth\\d carries up0 \\(vlan\\)"));
        assertThat(failed(outcomes.next()).err())
                .matches(inUse("eth\\d carries a route to 198.51.100.0/24 in table 100"));
        assertThat(failed(outcomes.next()).err())
                .matches(inUse("eth\\d carries a route to 2001:db8:0:0:0:0:0:0/32 in table 200"));
        assertThat(failed(outcomes.next()).err())
                .matches(inUse("it has virtual functions \\(1\\), which go with it .*"));
        assertThat(failed(outcomes.next()).err())
                .matches(inUse("its network interface is in another network namespace, such as a container's"));
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from igb to vfio-pci\n");
    }

    private static String inUse(String why) {
        return "(?s)nicctl: 0000:01:00.0 is in use: " + why + ": taking it would end that.*";
    }

    @Test
    void warnsOfANicThatItCannotDriveAndRestoresOnlyWhatItTook() {
        Iterator<Outcome> outcomes = run(
                "bind 0000:03:00.0",
                "stats 0000:03:00.0",
                "$ echo 0000:02:00.0 > /sys/bus/pci/drivers/virtio-pci/unbind",
                "restore --all",
                "list --json");

        Outcome bound = outcomes.next();
        assertThat(bound.status()).as("%s", bound).isZero();
        assertThat(bound.err())
                .matches(
                        "(?s)nicctl: warning: Doorbell has no driver for 0000:03:00.0 \\(8086:10d3, network controller, class"
                                + " 0x020000, bound to vfio-pci\\); it drives .*igb \\(Intel 82576.*");
        assertThat(failed(outcomes.next()).err())
                .startsWith(
                        "nicctl: no driver for 0000:03:00.0 (8086:10d3, network controller, class 0x020000, bound to"
                                + " vfio-pci); Doorbell drives\n  igb: Intel 82576");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:03:00.0: from vfio-pci to no driver\n");
        assertThat(succeeded(outcomes.next()).out())
                .as("somebody else unbound 0000:02:00.0")
                .containsPattern("(?s)0000:02:00.0.{1,200}\"driver\" : null");
    }

    private static Iterator<Outcome> run(String... lines) {
        try (GuestMachine guest = GuestMachine.builder()
                .nic("igb", Lab.IGB.mac(), Lab.IGB.hub())
                .nic("virtio-net-pci", Lab.IGB.kernelMac(), Lab.IGB.hub())
                .nic("e1000e", "52:54:00:00:00:77", Lab.IGB.hub())
                .start()) {
            Lab.loadDrivers(guest);
            guest.run(PATIENCE, "modprobe", "-a", "8021q", "bridge").orThrow();
            GuestResult result = guest.run(
                            PATIENCE, GuestMachine.java(JavaOptions.GUEST, GuestScript.class.getName(), lines))
                    .orThrow();
            return GuestScript.outcomes(result.stdout()).iterator();
        }
    }

    private static Outcome succeeded(Outcome outcome) {
        assertThat(outcome.status()).as("%s", outcome).isZero();
        assertThat(outcome.err()).as("%s", outcome).isEmpty();
        return outcome;
    }

    private static Outcome failed(Outcome outcome) {
        assertThat(outcome.status()).as("%s", outcome).isEqualTo(1);
        assertThat(outcome.out()).as("%s", outcome).isEmpty();
        return outcome;
    }
}
