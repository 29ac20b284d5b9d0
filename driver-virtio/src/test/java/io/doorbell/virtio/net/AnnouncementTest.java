package io.doorbell.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.frame.MacAddress;
import io.doorbell.frame.NicConfig;
import io.doorbell.frame.ability.Announcements;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.qemu.qtest.QtestMachine;
import io.doorbell.virtio.transport.ModernPciTransport;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU asks of a station that has moved to another host, as it does after a migration. */
@Tag("qtest")
class AnnouncementTest {

    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final NicConfig CONFIG = NicConfig.defaults().withAnnouncements(true);

    private QtestMachine machine;

    private VirtioNic open(NicConfig config, String property) {
        machine = QtestMachine.builder()
                .nic("virtio-net-pci", "disable-legacy=on", "mac=" + MAC, property)
                .start();
        return VirtioNic.open("0000:00:04.0", new ModernPciTransport(machine.open(0)), config);
    }

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"packed=off", "packed=on"})
    void isAskedForOnceEachTimeTheStationHasMoved(String layout) {
        try (VirtioNic nic = open(CONFIG, layout)) {
            assertThat(nic.ability(Announcements.class).takeRequest()).isFalse();
            for (int move = 0; move < 2; move++) {
                machine.qmp().execute("announce-self", Map.of("initial", 20, "max", 20, "rounds", 1, "step", 0));
                assertThat(BoundedWait.until(
                                () -> nic.ability(Announcements.class).takeRequest(), PATIENCE))
                        .isTrue();
                assertThat(nic.ability(Announcements.class).takeRequest()).isFalse();
                assertThat(nic.linkState().up()).isTrue();
            }
            assertThat(machine.log()).doesNotContain("virtio");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "guest_announce=off, true, the device does not offer it",
        "ctrl_vq=off, true, VIRTIO_NET_F_CTRL_VQ",
        "packed=off, false, NicConfig.withAnnouncements"
    })
    void saysWhyItWillNotBeAskedFor(String property, boolean wanted, String reason) {
        try (VirtioNic nic = open(NicConfig.defaults().withAnnouncements(wanted), property)) {
            assertThatThrownBy(() -> nic.ability(Announcements.class).takeRequest())
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("VIRTIO_NET_F_GUEST_ANNOUNCE is not in use")
                    .hasMessageContaining(reason);
        }
    }
}
