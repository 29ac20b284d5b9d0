package io.doorbell.igb.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.pci.PciId;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IgbRegistersTest {

    @ParameterizedTest
    @EnumSource
    void declaresNoOffsetTwice(IgbModel model) {
        Map<Integer, String> seen = new HashMap<>();
        for (Reg reg : IgbRegisters.all()) {
            for (int i = 0; i < Math.min(reg.count(), IgbRegisters.count(reg, model)); i++) {
                String name = reg.name(i);
                assertThat(seen.put(reg.at(i), name))
                        .as("at the offset of %s", name)
                        .isNull();
                assertThat(reg.at(i)).isBetween(0, (128 << 10) - 4);
                assertThat(reg.at(i) % 4).isZero();
            }
        }
    }

    @Test
    void declaresNoBitTwice() {
        for (Reg reg : IgbRegisters.all()) {
            int used = 0;
            for (Field field : reg.fields()) {
                assertThat(used & field.mask())
                        .as("%s.%s", reg.name(), field.name())
                        .isZero();
                used |= field.mask();
            }
        }
    }

    @Test
    void countsFromTheFirstOfAnArrayToTheLast() {
        assertThat(IgbRegisters.RXDCTL.at(0)).isEqualTo(0xC028);
        assertThat(IgbRegisters.RXDCTL.at(15)).isEqualTo(0xC3E8);
        assertThat(IgbRegisters.RXDCTL.name(3)).isEqualTo("RXDCTL[3]");
        assertThatThrownBy(() -> IgbRegisters.RXDCTL.at(16)).hasMessageContaining("0 to 15, not 16");
    }

    @Test
    void putsValuesIntoFieldsAndTakesThemOut() {
        Field field = Field.bits("X", 12, 10);
        assertThat(field.mask()).isEqualTo(0x3ff000);
        assertThat(field.of(0x40)).isEqualTo(0x40000);
        assertThat(field.in(0xffff_ffff)).isEqualTo(0x3ff);
        assertThat(Field.bits("ALL", 0, 32).in(-1)).isEqualTo(-1);
        assertThatThrownBy(() -> field.of(0x400)).hasMessageContaining("10 bits, too few for 1024");
    }

    @Test
    void knowsItsModelsByTheirIds() {
        assertThat(IgbModel.of(new PciId(0x8086, 0x10c9))).contains(IgbModel.I82576);
        assertThat(IgbModel.of(new PciId(0x8086, 0x150e))).contains(IgbModel.I82580);
        assertThat(IgbModel.of(new PciId(0x8086, 0x100e))).isEmpty();
        assertThat(IgbModel.of(new PciId(0x1af4, 0x10c9))).isEmpty();
    }
}
