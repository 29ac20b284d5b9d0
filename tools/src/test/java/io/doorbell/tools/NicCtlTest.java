package io.doorbell.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.tools.host.FakeSysfs;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NicCtlTest {

    @TempDir
    private Path root;

    private FakeSysfs machine;
    private final CapturedConsole console = new CapturedConsole();

    @BeforeEach
    void boot() throws Exception {
        machine = new FakeSysfs(root);
    }

    private void plugIn() throws Exception {
        machine.function("0000:00:1f.2", "8086", "2922", "010601", "ahci")
                .igb("0000:01:00.0", "igb")
                .group("0000:01:00.0", 12)
                .net("0000:01:00.0", "eth0")
                .igb("0000:02:00.0", "vfio-pci")
                .group("0000:02:00.0", 13)
                .igb("0000:03:00.0", "")
                .group("0000:03:00.0", 14)
                .igb("0000:04:00.0", "igb");
    }

    private int run(String... words) {
        return NicCtl.run(machine.context(console), List.of(words));
    }

    @Test
    void listsNicsAndNothingElse() throws Exception {
        plugIn();

        assertThat(run("list")).isZero();

        assertThat(console.out().lines().map(line -> line.replaceAll(" +", " ")))
                .satisfiesExactly(
                        heading -> assertThat(heading)
                                .isEqualTo("ADDRESS ID NAME DRIVER INTERFACE LINK GROUP NODE DOORBELL"),
                        first -> assertThat(first)
                                .startsWith("0000:01:00.0 8086:10c9 ")
                                .endsWith(" igb eth0 up 1000 Mb/s 12 - -"),
                        second -> assertThat(second).endsWith(" vfio-pci - - 13 - -"),
                        third -> assertThat(third).endsWith(" - - - 14 - -"),
                        fourth -> assertThat(fourth).endsWith(" igb - - - - -"));
        assertThat(console.err()).isEmpty();
    }

    @Test
    void listsNicsAsJson() throws Exception {
        plugIn();

        assertThat(run("list", "--json")).isZero();

        Map<String, Object> wrapped = Json.read("{\"nics\":" + console.out() + "}");
        assertThat((List<?>) wrapped.get("nics"))
                .hasSize(4)
                .first()
                .satisfies(first -> assertThat((Map<?, ?>) first)
                        .isEqualTo(Json.object(
                                "address",
                                "0000:01:00.0",
                                "id",
                                "8086:10c9",
                                "name",
                                ((Map<?, ?>) first).get("name"),
                                "driver",
                                "igb",
                                "interface",
                                "eth0",
                                "link",
                                true,
                                "megabitsPerSecond",
                                1000,
                                "iommuGroup",
                                12,
                                "numaNode",
                                null,
                                "doorbell",
                                null)));
    }

    @Test
    void explainsAMachineWithoutNics() {
        assertThat(run("list")).isZero();

        assertThat(console.out())
                .isEqualTo("This machine has no PCI NIC."
                        + " 'nicctl lab' opens a shell in a virtual machine that has some.\n");
    }

    @Test
    void showsWhatIsKnownOfANicThatTheKernelDrives() throws Exception {
        plugIn();

        assertThat(run("info", "1:0.0")).isZero();

        assertThat(console.out())
                .containsPattern("kernel driver +igb")
                .containsPattern("interface +eth0, 02:00:00:00:00:01, link up 1000 Mb/s, 192.0.2.7")
                .containsPattern("opened +no: 0000:01:00.0 is bound to igb, not to vfio-pci")
                .containsPattern("IOMMU group +12, alone in it")
                .containsPattern("memlock limit +\\S")
                .contains("capabilities: only root may read them");
    }

    @Test
    void showsTheKernelsCountersOfANicThatItDrives() throws Exception {
        plugIn();

        assertThat(run("stats", "0000:01:00.0")).isZero();

        assertThat(console.out()).isEqualTo("""
                eth0, 02:00:00:00:00:01, link up 1000 Mb/s; the kernel's counters:
                COUNTER         VALUE
                rx_packets  1,234,567
                tx_packets         89
                """);
    }

    @Test
    void restoresNothingThatItDidNotTake() throws Exception {
        plugIn();

        assertThat(run("restore", "--all")).isZero();

        assertThat(console.out())
                .isEqualTo("There is nothing to restore: no NIC was taken by 'nicctl bind' or 'nicctl unbind'.\n");
    }

    @Test
    void restoresWhatItTook() throws Exception {
        plugIn();
        machine.taken("0000:02:00.0", "igb").taken("0000:00:1f.2", "ahci");

        // The files of this machine bind nothing: that the right NIC is offered to its driver is what shows.
        assertThat(run("restore", "--all")).isEqualTo(1);

        assertThat(console.err()).contains("sys/bus/pci/drivers/vfio-pci/unbind");
    }

    @Test
    void warnsOfANicThatDoorbellHasNoDriverFor() throws Exception {
        plugIn();

        assertThat(run("bind", "0000:02:00.0")).isZero();

        assertThat(console.out()).isEqualTo("0000:02:00.0: has vfio-pci already\n");
        assertThat(console.err())
                .startsWith("nicctl: warning: Doorbell has no driver for 0000:02:00.0 (8086:10c9, network controller,"
                        + " class 0x020000, bound to vfio-pci); it drives ");
    }

    @Test
    void saysWhatItEndsByForce() throws Exception {
        plugIn();

        assertThat(run("unbind", "--force", "0000:01:00.0")).isEqualTo(1);

        assertThat(console.err())
                .startsWith("nicctl: warning: taking 0000:01:00.0 although it is in use: eth0 is up with address"
                        + " 192.0.2.7; eth0 carries a default route\n");
    }

    @Test
    void showsWhatANicIsUsedFor() throws Exception {
        plugIn();

        assertThat(run("info", "0000:01:00.0")).isZero();

        assertThat(console.out())
                .containsPattern("in use +eth0 is up with address 192.0.2.7\n +eth0 carries a default route\n");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "info 1:2:3 | '1:2:3' is not a PCI address: write domain:bus:device.function in hexadecimal",
                "info 0000:09:00.0 | there is no PCI function 0000:09:00.0 on this machine",
                "bind 0000:09:00.0 | there is no PCI function 0000:09:00.0 on this machine",
                "info 0000:00:1f.2 | 0000:00:1f.2 is not a NIC but a mass storage controller (class 0x010601)",
                "bind 0000:00:1f.2 | 0000:00:1f.2 is not a NIC but a mass storage controller",
                "unbind 0000:01:00.0 | is in use: eth0 is up with address 192.0.2.7; eth0 carries a default route: taking it would",
                "bind 0000:04:00.0 | 0000:04:00.0 is in no IOMMU group",
                "regs 0000:01:00.0 | 0000:01:00.0 is bound to igb, not to vfio-pci: run 'nicctl bind 0000:01:00.0' first",
                "regs 0000:03:00.0 | 0000:03:00.0 is bound to no driver, not to vfio-pci",
                "stats 0000:03:00.0 | 0000:03:00.0 is bound to no driver and has no network interface",
                "stats 0000:01:00.0 --seconds 0 | --seconds and --interval must be at least 1: they are 0 and 1",
                "restore | 'nicctl restore' takes the addresses of NICs, or --all",
                "restore --all 0000:01:00.0 | 'nicctl restore' takes the addresses of NICs, or --all, not both",
                "demo --frames 0 | --frames must be from 1 to 10000000, not 0",
                "demo --pcap /nowhere/a.pcap | cannot write /nowhere/a-igb.pcap: name a file that can be written with --pcap",
                "demo --nic e1000e | invalid value for option '--nic': there is no demo of 'e1000e', only of igb, virtio, vhost-user;",
                "demo --frames many | invalid value for option '--frames'",
                "bind | missing required parameter: 'ADDRESS'; 'nicctl bind --help' shows how to use it",
                "frobnicate | unmatched argument at index 0: 'frobnicate'; 'nicctl --help' shows how to use it",
                "list --frob | unknown option: '--frob'; 'nicctl list --help' shows how to use it",
            })
    void saysInOneMessageWhatIsWrong(String words, String message) throws Exception {
        plugIn();

        assertThat(run(words.split(" "))).isEqualTo(1);

        assertThat(console.err()).startsWith("nicctl: ").contains(message).hasLineCount(1);
        assertThat(console.out()).isEmpty();
    }

    @Test
    void showsWhereAFailureHappenedOnlyWhenAsked() throws Exception {
        plugIn();

        assertThat(run("info", "0000:09:00.0", "--verbose")).isEqualTo(1);

        assertThat(console.err()).contains("nicctl: there is no PCI function 0000:09:00.0", "\tat io.doorbell.");
    }

    @Test
    void showsItsCommandsWhenGivenNone() {
        assertThat(run()).isEqualTo(1);

        assertThat(console.err()).contains("Usage: nicctl").containsPattern("\n  demo +Shows Doorbell at work");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "list",
                "info",
                "bind",
                "unbind",
                "restore",
                "stats",
                "regs",
                "nvm",
                "identify",
                "selftest",
                "features",
                "link",
                "flows",
                "clock",
                "demo",
                "lab",
                "bench"
            })
    void explainsEachCommandWithoutControlCharacters(String command) {
        assertThat(run(command, "--help")).isZero();

        assertThat(console.out()).contains("Usage: nicctl " + command).doesNotContain("\u001b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench", "bench igb --quick"})
    void saysWhereTheBenchmarksAre(String line) {
        assertThat(run(line.split(" "))).isEqualTo(1);

        assertThat(console.err())
                .startsWith("nicctl: 'nicctl bench' is not part of this installation: ")
                .contains("come with Doorbell's sources")
                .hasLineCount(1);
    }
}
