package io.doorbell.igb.link;

import static io.doorbell.igb.spec.IgbRegisters.CTRL;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_FRCSPD;
import static io.doorbell.igb.spec.IgbRegisters.CTRL_ILOS;
import static io.doorbell.igb.spec.IgbRegisters.RCTL;
import static io.doorbell.igb.spec.IgbRegisters.RCTL_LBM;
import static io.doorbell.igb.spec.IgbRegisters.RCTL_RXEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.ability.LoopbackPoint;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the family's members are told; whether frames come back is up to QEMU's device. */
class IgbLoopbackTest {

    private final RecordingBar bar = new RecordingBar();

    private IgbLoopback loopback(IgbModel model) {
        return new IgbLoopback(new RegisterFile("test", bar), model);
    }

    /** Register and value of each write to the PHY. */
    private List<String> told() {
        return bar.writes.stream()
                .filter(write -> write.register().equals("MDIC") && write.value() >>> 26 == 1)
                .map(write -> String.format("%d %04x", write.value() >>> 16 & 31, write.value() & 0xFFFF))
                .toList();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "I354")
    void tellsThePhyWhatItsModelNeeds(IgbModel model) {
        bar.put(CTRL, 1);
        IgbLoopback loopback = loopback(model);
        loopback.start(LoopbackPoint.PHY);
        assertThat(told())
                .isEqualTo(
                        switch (model) {
                            case I82576 -> List.of("0 4140");
                            case I82580, I350 -> List.of("19 8041", "0 4140");
                            case I210, I211 -> List.of("22 0000", "0 4140");
                            case I354 -> List.of();
                        });
        boolean inverted = model == IgbModel.I210 || model == IgbModel.I211;
        assertThat(bar.peek(CTRL)).isEqualTo(0x1A41 | (inverted ? CTRL_ILOS.mask() : 0));
        assertThat(RCTL_LBM.in(bar.peek(RCTL))).isZero();
        assertThat(loopback.isOn()).isTrue();

        bar.writes.clear();
        loopback.stop();
        assertThat(told()).containsExactly("0 9000");
        assertThat(CTRL_ILOS.isSetIn(bar.peek(CTRL))).isFalse();
        assertThat(loopback.isOn()).isFalse();
        bar.writes.clear();
        loopback.stop();
        assertThat(bar.writes).isEmpty();
    }

    @Test
    void tellsTheMacAloneOfItsOwn() {
        bar.put(RCTL, RCTL_RXEN.mask());
        IgbLoopback loopback = loopback(IgbModel.I82576);
        loopback.start(LoopbackPoint.MAC);
        assertThat(bar.peek(RCTL)).isEqualTo(RCTL_RXEN.mask() | RCTL_LBM.of(1));
        assertThat(CTRL_FRCSPD.isSetIn(bar.peek(CTRL))).isTrue();
        loopback.stop();
        assertThat(bar.peek(RCTL)).isEqualTo(RCTL_RXEN.mask());
        assertThat(told()).isEmpty();
    }

    @Test
    void movesFromOnePointToTheOther() {
        IgbLoopback loopback = loopback(IgbModel.I82576);
        loopback.start(LoopbackPoint.PHY);
        loopback.start(LoopbackPoint.MAC);
        assertThat(told()).containsExactly("0 4140", "0 9000");
        assertThat(RCTL_LBM.in(bar.peek(RCTL))).isEqualTo(1);
    }
}
