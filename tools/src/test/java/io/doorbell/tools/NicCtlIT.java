package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.qemu.GuestMachine;
import io.doorbell.qemu.GuestResult;
import io.doorbell.tools.GuestScript.Outcome;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The commands on a real bus, real drivers and a real IOMMU: those of a guest's Linux. */
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
                "restore --json " + IGB,
                "unbind " + IGB,
                "restore --all");

        Outcome list = succeeded(outcomes.next());
        assertThat(list.out().lines().toList())
                .hasSize(3)
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
                .matches(
                        "(?s)nicctl: 0000:01:00.0 is the network interface eth\\d, which is up with address 192.0.2.9.*");
        assertThat(failed(outcomes.next()).err())
                .matches("(?s)nicctl: 0000:01:00.0 is the network interface eth\\d, which carries a default route.*");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from igb to vfio-pci\n");
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

        assertThat(succeeded(outcomes.next()).out()).contains("\"from\" : \"vfio-pci\"", "\"to\" : \"igb\"");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from igb to no driver\n");
        assertThat(succeeded(outcomes.next()).out()).isEqualTo("0000:01:00.0: from no driver to igb\n");
    }

    private static Iterator<Outcome> run(String... lines) {
        try (GuestMachine guest = GuestMachine.builder()
                .nic("igb", Lab.IGB.mac(), Lab.IGB.hub())
                .nic("virtio-net-pci", Lab.IGB.kernelMac(), Lab.IGB.hub())
                .start()) {
            Lab.loadDrivers(guest);
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
