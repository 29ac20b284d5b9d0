package io.doorbell.igb.spec;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.pci.PciId;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class IgbModelTest {

    @Test
    void knowsEachDeviceIdOnce() {
        Set<Integer> seen = new HashSet<>();
        for (IgbModel model : IgbModel.values()) {
            for (int id : model.ports().keySet()) {
                assertThat(seen.add(id)).as("%04x", id).isTrue();
                assertThat(IgbModel.of(new PciId(0x8086, id))).contains(model);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"8086, 100e", "8086, 10d3", "8086, 10ca", "1af4, 10c9"})
    void knowsNoOtherDevices(String vendor, String device) {
        assertThat(IgbModel.of(new PciId(Integer.parseInt(vendor, 16), Integer.parseInt(device, 16))))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void dumpsTheRegistersThatAModelHas(IgbModel model) {
        RecordingBar bar = new RecordingBar();

        var names = new RegisterFile("test", bar)
                .dump(model).stream().map(value -> value.name()).toList();

        assertThat(names).doesNotHaveDuplicates();
        assertThat(names.stream().filter(name -> name.startsWith("RDT["))).hasSize(model.queues());
        assertThat(names.stream().filter(name -> name.startsWith("RAL"))).hasSize(model.receiveAddresses());
        assertThat(names.stream().filter(name -> name.startsWith("RAH"))).hasSize(model.receiveAddresses());
    }
}
