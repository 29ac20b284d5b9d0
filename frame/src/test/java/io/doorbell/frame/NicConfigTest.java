package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NicConfigTest {

    private static final NicConfig CONFIG = NicConfig.defaults();

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE, 65537, Integer.MAX_VALUE})
    void refusesSizesThatAreNone(int size) {
        assertThatThrownBy(() -> CONFIG.withRingSizes(size, 512))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("rxRingSize")
                .hasMessageContaining(String.valueOf(size));
        assertThatThrownBy(() -> CONFIG.withRingSizes(512, size)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> CONFIG.withBufferSize(size)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> CONFIG.withQueues(size)).isInstanceOf(DoorbellException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 4095, 5000, Integer.MAX_VALUE})
    void refusesVlansThatThereAreNot(int id) {
        assertThatThrownBy(() -> CONFIG.withVlans(1, id))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(String.valueOf(id))
                .hasMessageContaining("4094");
    }

    @Test
    void takesOneVlanOrFeatureTwiceForOne() {
        assertThat(CONFIG.withVlans(0, 4094, 0).vlans()).contains(Set.of(0, 4094));
        assertThat(CONFIG.withoutFeatures("A", "A").withoutFeatures()).containsExactly("A");
    }

    @Test
    void refusesOffloadsThatHaveNoName() {
        assertThatThrownBy(() -> CONFIG.withReceiveOffloads(Offloads.MORE_SEGMENTS | 1 << 20))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("MORE_SEGMENTS 0x100000");
        assertThatThrownBy(() -> CONFIG.withReceiveOffloads(Offloads.VLAN_TAG | Offloads.TIME_STAMP))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("not all of VLAN_TAG TIME_STAMP are");
        assertThat(CONFIG.withReceiveOffloads(Offloads.MORE_SEGMENTS).receiveOffloads())
                .isEqualTo(Offloads.MORE_SEGMENTS);
    }
}
