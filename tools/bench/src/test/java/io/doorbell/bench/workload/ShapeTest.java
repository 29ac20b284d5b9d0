package io.doorbell.bench.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import org.junit.jupiter.api.Test;

class ShapeTest {

    @Test
    void reachesAnotherProcessAsOneWord() {
        Shape shape = new Shape(2, 8, 4096, 9000);

        assertThat(shape.toString()).doesNotContain(" ");
        assertThat(Shape.parse(shape.toString())).isEqualTo(shape);
        assertThat(Shape.parse(Shape.USUAL.toString())).isEqualTo(Shape.USUAL);
    }

    @Test
    void leavesAloneWhatIsUsual() {
        assertThat(Shape.USUAL.config()).isEqualTo(NicConfig.defaults());
        assertThat(Shape.USUAL.testpmd())
                .contains("--burst=32", "--total-num-mbufs=8192", "--mbuf-size=2176")
                .noneMatch(option -> option.startsWith("--max-pkt-len"));
    }

    @Test
    void asksBothSidesForTheSame() {
        Shape shape = Shape.USUAL.withQueues(2).withBatch(8).withLength(9000);

        assertThat(shape.config().queues()).isEqualTo(2);
        assertThat(shape.config().bufferSize()).isEqualTo(FramePool.HEADROOM + 9000);
        assertThat(shape.testpmd())
                .contains("--rxq=2", "--txq=2", "--burst=8", "--mbuf-size=9128", "--max-pkt-len=9000");
    }

    @Test
    void makesAPoolOfAsManyBuffersAsThereAreMbufs() {
        Shape shape = Shape.USUAL.withBuffers(4096);

        try (FramePool pool = shape.createPool()) {
            assertThat(pool.buffers()).isEqualTo(4096);
            assertThat(pool.bufferSize()).isEqualTo(shape.config().bufferSize());
        }
        assertThat(shape.testpmd()).contains("--total-num-mbufs=4096");
    }

    @Test
    void takesNoFewerMbufsThanTestpmdDoes() {
        assertThat(Shape.USUAL.withBuffers(1024).testpmd()).contains("--total-num-mbufs=1025");
    }
}
