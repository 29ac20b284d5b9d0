package io.doorbell.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.pci.DriverBinding;
import io.doorbell.pci.PciBus;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.tools.NicCtl;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.CapturedConsole;
import io.doorbell.tools.text.Json;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On QEMU's igb, which has no LEDs to be seen. */
@Tag("qtest")
class IdentifyCommandTest {

    private final CapturedConsole console = new CapturedConsole();
    private final QtestMachine machine = QtestMachine.builder().nic("igb").start();

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
    void saysWhatItDoesBeforeItDoesIt() {
        assertThat(run("identify", "qtest", "--seconds", "1")).as(console.err()).isZero();
        assertThat(console.out()).isEqualTo("qtest, Intel 82576, blinks for 1 s\n");
    }

    @Test
    void saysTheSameToMachines() {
        assertThat(run("identify", "qtest", "--seconds=1", "--json"))
                .as(console.err())
                .isZero();
        assertThat(Json.read(console.out())).containsEntry("address", "qtest").containsEntry("seconds", 1);
    }

    @Test
    void refusesToDoItForNoTime() {
        assertThat(run("identify", "qtest", "--seconds", "0")).isEqualTo(1);
        assertThat(console.err()).contains("--seconds must be at least 1: it is 0");
    }
}
