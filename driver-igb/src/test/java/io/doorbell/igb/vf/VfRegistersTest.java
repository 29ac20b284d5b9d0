package io.doorbell.igb.vf;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.igb.spec.Field;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.Reg;
import io.doorbell.pci.PciId;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VfRegistersTest {

    @Test
    void declaresNoTwoRegistersAtOneOffset() {
        Map<Integer, String> seen = new HashMap<>();
        for (Reg reg : VfRegisters.all()) {
            for (int i = 0; i < reg.count(); i++) {
                assertThat(seen.put(reg.at(i), reg.name(i)))
                        .as("beside %s", reg.name(i))
                        .isNull();
            }
        }
        assertThat(seen.put(VfRegisters.V2PMAILBOX.at(0), "V2PMAILBOX")).isNull();
    }

    @Test
    void declaresNoTwoFieldsOnOneBit() {
        for (Reg reg : VfRegisters.all()) {
            int seen = 0;
            for (Field field : reg.fields()) {
                assertThat(seen & field.mask())
                        .as("%s.%s", reg.name(), field.name())
                        .isZero();
                seen |= field.mask();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void knowsNoPortForAVirtualFunction(VfModel model) {
        PciId id = new PciId(0x8086, model.deviceId());

        assertThat(VfModel.of(id)).contains(model);
        assertThat(IgbModel.of(id)).isEmpty();
        assertThat(VfModel.of(new PciId(0x1af4, model.deviceId()))).isEmpty();
        assertThat(VfModel.of(new PciId(0x8086, 0x10c9))).isEmpty();
    }
}
