package io.doorbell.igb.nic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.NicStatistics;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.IgbRegisters;
import io.doorbell.igb.spec.RecordingBar;
import io.doorbell.igb.spec.RegisterFile;
import java.util.List;
import org.junit.jupiter.api.Test;

class IgbStatisticsTest {

    private final RecordingBar bar = new RecordingBar();
    private final IgbStatistics statistics = new IgbStatistics(new RegisterFile("test", bar), IgbModel.I82576, 1);

    private NicStatistics soFar() {
        return statistics.statistics(List.of(), 0);
    }

    @Test
    void keepsWhatItHadWhenTheDeviceIsGone() {
        bar.put(IgbRegisters.GPRC, 5);
        bar.put(IgbRegisters.GORCL, 300);
        statistics.update();
        NicStatistics before = soFar();
        assertThat(before.rxFrames()).isEqualTo(5);
        assertThat(before.rxBytes()).isEqualTo(300);

        bar.gone = true;
        assertThatThrownBy(statistics::update)
                .isInstanceOf(BrokenDeviceException.class)
                .hasMessageContaining("test does not answer")
                .hasMessageContaining("0xffffffff");
        assertThat(soFar()).isEqualTo(before);
    }

    /** 8.18: RUC, ROC, RFC and RJC say of each kind how many there were, RLEC how many in all. */
    @Test
    void countsAFrameOfAWrongLengthOnce() {
        bar.put(IgbRegisters.RLEC, 6);
        bar.put(IgbRegisters.RUC, 1);
        bar.put(IgbRegisters.ROC, 2);
        bar.put(IgbRegisters.RFC, 3);
        bar.put(IgbRegisters.CRCERRS, 10);
        statistics.update();
        assertThat(soFar().rxErrors()).isEqualTo(16);
    }

    /** A frame that is too long and has a wrong CRC counts in RJC and in CRCERRS. */
    @Test
    void countsAJabberOnce() {
        bar.put(IgbRegisters.RLEC, 4);
        bar.put(IgbRegisters.RJC, 4);
        bar.put(IgbRegisters.CRCERRS, 4);
        statistics.update();
        assertThat(soFar().rxErrors()).isEqualTo(4);
    }

    /** Whose counter keeps its value when it is read: igb of Linux writes 0 there. */
    @Test
    void countsDroppedFramesOfAnI210Once() {
        IgbStatistics ofI210 = new IgbStatistics(new RegisterFile("test", bar), IgbModel.I210, 1);
        bar.put(IgbRegisters.RQDPC, 5);
        ofI210.update();
        ofI210.update();
        assertThat(ofI210.statistics(List.of(), 0).rxMissed()).isEqualTo(5);
    }
}
