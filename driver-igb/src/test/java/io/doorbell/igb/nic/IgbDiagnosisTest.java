package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Nvm;
import io.doorbell.frame.ability.NvmChecksum;
import io.doorbell.frame.ability.NvmField;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.qemu.qtest.QtestMachine;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What QEMU's igb says of itself. */
@Tag("qtest")
class IgbDiagnosisTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final QtestMachine machine =
            QtestMachine.builder().nic("igb", "mac=" + MAC).virtualTime().start();

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private IgbNic open() {
        return IgbNic.open("0000:00:04.0", machine.open(0), IgbModel.I82576, NicConfig.defaults());
    }

    @Test
    void readsTheNvmWhileTheNicRuns() {
        try (IgbNic nic = open()) {
            nic.awaitLink(PATIENCE);
            Nvm nvm = nic.ability(Nvm.class);
            assertThat(nvm.words()).isEqualTo(256);
            assertThat(nvm.read(0, 3)).containsExactly(0x5452, 0x1200, 0x5634);
            assertThat(nvm.checksums()).containsExactly(new NvmChecksum("all ports", 0, 0x3F, 0xBABA, 0xBABA));
            assertThat(nvm.fields())
                    .contains(
                            new NvmField("MAC address of port 0", 0, MAC.toString()),
                            new NvmField("image version", 5, "2.1.0"),
                            new NvmField("PBA number", 8, "1040FF-0FF"),
                            new NvmField("device id", 0x0D, "0x10c9"));
            assertThatThrownBy(() -> nvm.read(250, 7))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("the NVM of 0000:00:04.0 has words 0x0 to 0xff");
            nic.stop();
            assertThat(nvm.read(0x0D, 1)).containsExactly(0x10C9);
        }
    }
}
