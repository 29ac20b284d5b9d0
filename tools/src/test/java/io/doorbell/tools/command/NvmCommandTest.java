package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On QEMU's igb. */
@Tag("qtest")
class NvmCommandTest {

    private final CapturedConsole console = new CapturedConsole();
    private final QtestMachine machine = QtestMachine.builder()
            .nic("igb", "mac=52:54:00:12:34:56")
            .virtualTime()
            .start();

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private int run(String... arguments) {
        PciBus bus = PciBus.system();
        QtestIgb igb = new QtestIgb(machine.open(0));
        return NicCtl.run(
                new Context(console.console(), bus, new DriverBinding(bus), List.of(igb)), List.of(arguments));
    }

    @Test
    void showsTheVerdictTheFieldsAndTheWords() {
        assertThat(run("nvm", "qtest")).as(console.err()).isZero();
        assertThat(console.out().lines().map(line -> line.replaceAll(" +", " ")))
                .contains(
                        "qtest, Intel 82576: 256 words",
                        "Checksum of all ports, words 0x00 to 0x3f: valid",
                        "MAC address of port 0 0x00 52:54:00:12:34:56",
                        "device id 0x0d 0x10c9")
                .anyMatch(line -> line.startsWith("0x0000 5452 1200 5634 "))
                .anyMatch(line -> line.startsWith("0x0038 "))
                .noneMatch(line -> line.startsWith("0x0040 "));
    }

    @Test
    void showsTheWordsThatAreAskedFor() {
        assertThat(run("nvm", "qtest", "--words", "13-0x11")).as(console.err()).isZero();
        List<String> lines = console.out().lines().toList();
        assertThat(lines.getLast()).matches("0x000d  10c9( [0-9a-f]{4}){4}");
        assertThat(lines.get(lines.size() - 2)).isEmpty();
    }

    @Test
    @SuppressWarnings("unchecked")
    void saysTheSameToMachines() {
        assertThat(run("nvm", "qtest", "--json", "--words", "0-2"))
                .as(console.err())
                .isZero();
        Map<String, Object> nvm = Json.read(console.out());
        assertThat(nvm)
                .containsEntry("address", "qtest")
                .containsEntry("size", 256)
                .containsEntry("from", 0)
                .containsEntry("words", List.of(0x5452, 0x1200, 0x5634));
        assertThat((List<Map<String, Object>>) nvm.get("checksums"))
                .singleElement()
                .satisfies(sum -> assertThat(sum).containsEntry("valid", true).containsEntry("sum", 0xBABA));
        assertThat((List<Map<String, Object>>) nvm.get("fields"))
                .contains(Map.of("name", "MAC address of port 0", "word", 0, "value", "52:54:00:12:34:56"));
    }

    @ParameterizedTest
    @CsvSource({
        "5, two numbers",
        "0x-0x5, two numbers",
        "-1-5, two numbers",
        "9-8, ends before it starts",
        "0-0x100, words 0x0 to 0xff",
        "0-9999999, words 0x0 to 0xff"
    })
    void refusesWordsThatThereAreNot(String words, String why) {
        assertThat(run("nvm", "qtest", "--words=" + words)).isEqualTo(1);
        assertThat(console.err()).contains(why);
        assertThat(console.out()).isEmpty();
    }

    @Test
    void saysOfADamagedSectionWhereItIs() {
        assertThat(NvmCommand.verdict(new NvmChecksum("port 2", 0xC0, 0xFF, 0xBAB9, 0xBABA)))
                .isEqualTo("Checksum of port 2, words 0xc0 to 0xff: WRONG, the sum is 0xbab9 and not 0xbaba:"
                        + " the words are damaged, or were never written");
    }
}
