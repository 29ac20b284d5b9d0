package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On QEMU's igb. */
@Tag("qtest")
class SelfTestCommandTest {

    private final CapturedConsole console = new CapturedConsole();
    private final QtestMachine machine =
            QtestMachine.builder().nic("igb").virtualTime().start();

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
    void doesAllTestsOffline() {
        assertThat(run("selftest", "qtest", "--offline")).as(console.err()).isZero();
        assertThat(console.out().lines().map(line -> line.replaceAll(" +", " ")))
                .hasSize(6)
                .startsWith("TEST RESULT DETAIL")
                .contains("nvm passed its checksum is right", "link passed up, 1000 Mb/s, full duplex")
                .noneMatch(line -> line.contains("skipped") || line.contains("failed"));
    }

    @Test
    void saysTheSameToMachinesOfFewerTests() throws IOException {
        assertThat(run("selftest", "qtest", "--json")).as(console.err()).isZero();
        assertThat(JSON.std.listOfFrom(Object.class, console.out()))
                .hasSize(5)
                .contains(Map.of("test", "nvm", "result", "passed", "detail", "its checksum is right"))
                .contains(Map.of(
                        "test",
                        "registers",
                        "result",
                        "skipped",
                        "detail",
                        "only with the NIC out of service (offline)"));
    }

    @Test
    void failsIfATestDoes() {
        machine.setLink(0, false);
        assertThat(run("selftest", "qtest")).isEqualTo(1);
        assertThat(console.out()).containsPattern("link +failed +no link within 5 s: STATUS=0x");
        assertThat(console.err()).isEqualTo("nicctl: qtest failed: link\n");
    }
}
