package io.doorbell.igb.selftest;

import static io.doorbell.igb.spec.IgbRegisters.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.Reg;
import io.doorbell.igb.spec.RegisterFile;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** On memory that has the faults of a test's choice. */
class RegisterTestTest {

    private final RecordingBar bar = new RecordingBar();

    private String run(IgbModel model) {
        return new RegisterTest(new RegisterFile("test", bar), model).run();
    }

    private Map<String, Integer> values() {
        Map<String, Integer> values = new HashMap<>();
        for (Reg reg : IgbRegisters.all()) {
            for (int i = 0; i < reg.count(); i++) {
                values.put(reg.name(i), bar.peek(reg, i));
            }
        }
        return values;
    }

    @ParameterizedTest
    @EnumSource
    void leavesEachRegisterAsItWas(IgbModel model) {
        int seed = 1;
        for (Reg reg : IgbRegisters.all()) {
            for (int i = 0; i < reg.count(); i++) {
                bar.put(reg, i, seed++ * 0x01234567);
            }
        }
        Map<String, Integer> before = values();
        assertThat(run(model)).matches("[1-9]\\d\\d registers hold what is written to them");
        assertThat(values()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource
    void findsABitThatIsStuckInAnyOfWhatTheModelHas(IgbModel model) {
        int queues = model.queues();
        int more = model.receiveAddresses() - 16;
        for (Fault fault : new Fault[] {
            new Fault(RDBAL, queues - 1, 31),
            new Fault(RDBAH, 0, 0),
            new Fault(RDLEN, 1, 19),
            new Fault(RDT, queues - 1, 15),
            new Fault(TDBAL, 0, 7),
            new Fault(TDBAH, queues - 1, 31),
            new Fault(TDLEN, queues - 1, 7),
            new Fault(TIPG, 0, 29),
            new Fault(RCTL, 0, 26),
            new Fault(TCTL, 0, 1),
            new Fault(RAL, 15, 0),
            new Fault(RAH, 0, 31),
            new Fault(MTA, 127, 31),
            more > 0 ? new Fault(RAH_16, more - 1, 0) : new Fault(RAL, 1, 1)
        }) {
            for (boolean high : new boolean[] {false, true}) {
                bar.stick(fault.reg(), fault.index(), 1 << fault.bit(), high);
                if (!high && fault.reg().equals(TCTL)) {
                    // Which is only looked at for what must be 0.
                    assertThatCode(() -> run(model)).doesNotThrowAnyException();
                } else {
                    assertThatThrownBy(() -> run(model))
                            .as("%s, %s", fault, high)
                            .isInstanceOf(DefectException.class)
                            .hasMessageStartingWith(fault.reg().name(fault.index()) + " (0x")
                            .hasMessageEndingWith(String.format("these differ: 0x%08x", 1 << fault.bit()));
                }
                bar.unstick();
            }
        }
    }

    private record Fault(Reg reg, int index, int bit) {}

    @ParameterizedTest
    @CsvSource({
        "I210, VET, 0, 0",
        "I350, VET, 0, 15",
        "I350, RDLEN, 0, 6",
        "I82580, RAH, 0, 30",
        "I210, RAH, 0, 20",
        "I82576, TDT, 0, 0",
        "I82580, RDT, 8, 0",
        "I211, RAH_16, 0, 0"
    })
    void doesNotAskForBitsThatAModelLacks(IgbModel model, String register, int index, int bit) {
        Reg reg = IgbRegisters.all().stream()
                .filter(candidate -> candidate.name().equals(register))
                .findFirst()
                .orElseThrow();
        bar.stick(reg, index, 1 << bit, true);
        assertThatCode(() -> run(model)).doesNotThrowAnyException();
    }

    @Test
    void enablesTheQueuesOfAn82576WhileItMovesTheirTails() {
        run(IgbModel.I82576);
        int enabled = bar.indexOf(RXDCTL, RXDCTL_ENABLE);
        assertThat(enabled).isLessThan(bar.indexOf(RDT));
        assertThat(RXDCTL_ENABLE.isSetIn(bar.peek(RXDCTL))).isFalse();
        bar.writes.clear();
        run(IgbModel.I82580);
        assertThat(bar.writes).noneMatch(write -> write.register().startsWith("RXDCTL"));
    }
}
