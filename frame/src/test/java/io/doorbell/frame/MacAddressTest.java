package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MacAddressTest {

    @Test
    void makesLocalAddressesThatANicCanHave() {
        for (int i = 0; i < 100; i++) {
            MacAddress mac = MacAddress.randomLocal();
            assertThat(mac.isUnicast()).isTrue();
            assertThat(mac.octet(0)).as("locally administered, an individual's").isEqualTo(2);
        }
        assertThat(MacAddress.randomLocal()).isNotEqualTo(MacAddress.randomLocal());
    }

    @Test
    void printsWhatItParsed() {
        assertThat(MacAddress.parse("52-54-00-AB-cd-01")).hasToString("52:54:00:ab:cd:01");
        assertThat(MacAddress.parse("ff:ff:ff:ff:ff:ff")).isEqualTo(MacAddress.BROADCAST);
    }

    @Test
    void knowsItsFirstByteOnTheWire() {
        MacAddress mac = MacAddress.parse("01:00:5e:00:00:fb");
        assertThat(mac.octet(0)).isEqualTo(1);
        assertThat(mac.octet(5)).isEqualTo(0xfb);
        assertThat(mac.isMulticast()).isTrue();
        assertThat(mac.isUnicast()).isFalse();
        assertThat(new MacAddress(0).isUnicast()).isFalse();
    }

    @Test
    void hasSixBytes() {
        MacAddress mac = MacAddress.parse("52:54:00:12:34:56");
        assertThatThrownBy(() -> mac.octet(6)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mac.octet(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new MacAddress(1L << 48))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x1000000000000");
        assertThatThrownBy(() -> new MacAddress(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "52:54:00:ab:cd", "52:54:00:ab:cd:1", "52:54:00:ab:cd:zz", "525400abcd01"})
    void refusesWhatIsNoAddress(String text) {
        assertThatThrownBy(() -> MacAddress.parse(text))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("'" + text + "' is not a MAC address");
    }
}
