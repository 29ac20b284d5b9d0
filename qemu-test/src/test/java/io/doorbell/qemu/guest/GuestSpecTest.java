package io.doorbell.qemu.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.qemu.link.Wire;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestSpecTest {

    private static final GuestKernel KERNEL =
            new GuestKernel("6.12.1", Path.of("/k/vmlinuz"), Path.of("/k/modules"), Path.of("/k/busybox"));
    private static final GuestFolder FOLDER = new GuestFolder(Path.of("/tmp/a,b"));

    @Test
    void putsTheIommuBetweenAVirtioNicAndTheGuestsMemory() {
        assertThat(arguments(GuestMachine.builder().nic("virtio-net-pci,packed=on", "52:54:00:00:00:01", Wire.hub(7))))
                .contains(
                        "hubport,id=net0,hubid=7",
                        "virtio-net-pci,packed=on,id=nic0,bus=port0,netdev=net0,mac=52:54:00:00:00:01,romfile="
                                + ",disable-legacy=on,iommu_platform=on");
    }

    @Test
    void keepsACommaInAFileNameFromEndingIt() {
        assertThat(arguments(GuestMachine.builder()
                        .nic("igb", "52:54:00:00:00:01", Wire.cable(0))
                        .capture(0, Path.of("/c,d.pcap"))))
                .contains(
                        "stream,id=net0,server=off,addr.type=unix,addr.path=/tmp/a,,b/cable0",
                        "filter-dump,id=dump0,netdev=net0,file=/c,,d.pcap");
    }

    @Test
    void plugsAPeerIntoAHubBesideTheNics() {
        assertThat(arguments(GuestMachine.builder().peer(Wire.hub(3))))
                .containsSequence(
                        "-netdev", "stream,id=hubpeer3,server=off,addr.type=unix,addr.path=/tmp/a,,b/hub3",
                        "-netdev", "hubport,id=hubplug3,hubid=3,netdev=hubpeer3");
    }

    @Test
    void refusesASecondNicOnACable() {
        GuestMachineBuilder builder = GuestMachine.builder().nic("igb", "52:54:00:00:00:01", Wire.cable(0));
        assertThatThrownBy(() -> builder.nic("igb", "52:54:00:00:00:02", Wire.cable(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cable[number=0] has a peer at its other end already");
    }

    @Test
    void refusesToCaptureANicThatIsNotThere() {
        assertThatThrownBy(() -> GuestMachine.builder().capture(0, Path.of("x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no NIC 0 to capture: there are 0 so far");
    }

    @Test
    void countsTheInstructionsOfProcessorsThatTakeTurns() {
        assertThat(arguments(GuestMachine.builder().instructionClock()))
                .containsSequence("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off")
                .doesNotContain("kvm");
    }

    private static List<String> arguments(GuestMachineBuilder builder) {
        return builder.spec().arguments(FOLDER, KERNEL);
    }
}
