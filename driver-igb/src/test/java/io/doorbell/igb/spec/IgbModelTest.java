package io.doorbell.igb.spec;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.pci.PciId;
import java.util.EnumSet;
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
        assertThat(names.stream().filter(name -> name.startsWith("ETQF["))).hasSize(model.etherTypeFilters());
        assertThat(names.stream().filter(name -> name.matches("(FTQF|SAQF|DAQF|SPQF).*")))
                .hasSize(4 * model.fiveTupleFilters());
        assertThat(names.stream().filter(name -> name.startsWith("TTQF["))).hasSize(model.twoTupleFilters());
        assertThat(names).as("what drops frames when it is read").noneMatch(name -> name.startsWith("FHFT"));
    }

    /** 82576 data sheet, 7.3.1.2; 82580 data sheet, 7.3.2. */
    @Test
    void placesVectorsInIvar() {
        assertThat(new int[] {IgbModel.I82576.ivar(0), IgbModel.I82576.ivarShift(0)})
                .containsExactly(0, 0);
        assertThat(new int[] {IgbModel.I82576.ivar(7), IgbModel.I82576.ivarShift(7)})
                .containsExactly(7, 0);
        assertThat(new int[] {IgbModel.I82576.ivar(9), IgbModel.I82576.ivarShift(9)})
                .containsExactly(1, 16);
        for (IgbModel other : EnumSet.complementOf(EnumSet.of(IgbModel.I82576))) {
            assertThat(new int[] {other.ivar(0), other.ivarShift(0)}).containsExactly(0, 0);
            assertThat(new int[] {other.ivar(1), other.ivarShift(1)}).containsExactly(0, 16);
        }
        assertThat(new int[] {IgbModel.I82580.ivar(6), IgbModel.I82580.ivarShift(6)})
                .containsExactly(3, 0);
    }
}
