package io.doorbell.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PciAddressTest {

    @ParameterizedTest
    @CsvSource({
        "0000:01:00.0, 0000:01:00.0",
        "01:00.0, 0000:01:00.0",
        "3:1F.7, 0000:03:1f.7",
        "10000:E1:00.1, 10000:e1:00.1"
    })
    void parsesAndPrintsCanonically(String text, String canonical) {
        assertThat(PciAddress.isAddress(text)).isTrue();
        assertThat(PciAddress.parse(text)).hasToString(canonical).isEqualTo(PciAddress.parse(canonical));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "eth0", "01:00", "01:00.8", "01:20.0", "100:00.0", "0000:01:00.0 ", "0000-01-00.0"})
    void saysHowAnAddressIsWritten(String text) {
        assertThat(PciAddress.isAddress(text)).isFalse();
        assertThatThrownBy(() -> PciAddress.parse(text))
                .hasMessage("'" + text + "' is not a PCI address: write domain:bus:device.function in hexadecimal, such"
                        + " as 0000:01:00.0 or 01:00.0");
    }

    @Test
    void refusesNumbersThatNoAddressHas() {
        assertThatThrownBy(() -> new PciAddress(0, 0x100, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PciAddress(0, 0, 0x20, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PciAddress(0, 0, 0, 8)).isInstanceOf(IllegalArgumentException.class);
    }
}
