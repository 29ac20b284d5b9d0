package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SendLimitsTest {

    private static final SendLimits ABLE = new SendLimits(
            Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.MORE_SEGMENTS,
            Set.of(Segmentation.TCP4),
            false,
            14,
            1514,
            4000,
            3);

    private final FramePool pool = FramePool.create(8, 2048);
    private final FrameBatch batch = new FrameBatch(8);
    private Frame first;

    @BeforeEach
    void oneFrame() {
        first = add(100);
    }

    @AfterEach
    void close() {
        batch.release();
        pool.close();
    }

    private Frame add(int length) {
        pool.allocate(batch);
        Frame frame = batch.frame(batch.size() - 1);
        frame.length(length);
        return frame;
    }

    private boolean allows() {
        return ABLE.allow(batch, 0);
    }

    private void askForSegments() {
        first.setByte(34 + 13, (byte) 0x10);
        first.needsChecksum(34, 16);
        first.segment(Segmentation.TCP4, 54, 1000);
    }

    @Test
    void areOfLength() {
        assertThat(allows()).isTrue();
        first.length(13);
        assertThat(allows()).isFalse();
        first.length(1515);
        assertThat(allows()).isFalse();
        first.length(1514);
        assertThat(allows()).isTrue();
    }

    @Test
    void allowNoTimeStampWhereThereIsNoClock() {
        first.needsTimeStamp();
        assertThat(allows()).isFalse();
        assertThat(new SendLimits(Offloads.TIME_STAMP, Set.of(), false, 14, 1514, 0, 1).allow(batch, 0))
                .isTrue();
        first.clearOffloads();
        assertThat(allows()).isTrue();
    }

    @Test
    void allowAFrameInSomeSlots() {
        add(60);
        add(60);
        batch.join(0, 3);
        assertThat(allows()).isTrue();
        assertThat(SendLimits.plain(14, 1514).allow(batch, 0)).isFalse();
        add(60);
        batch.join(0, 4);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowNoFrameThatIsLongerInAllItsSlots() {
        add(1500);
        batch.join(0, 2);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowNoEmptySlotAndNoneThatIsMissing() {
        Frame second = add(0);
        batch.join(0, 2);
        assertThat(allows()).isFalse();
        second.length(1);
        assertThat(allows()).isTrue();
        second.addOffloads(Offloads.MORE_SEGMENTS);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowAChecksumWithinTheFrame() {
        first.needsChecksum(34, 16);
        first.length(52);
        assertThat(allows()).isTrue();
        first.length(51);
        assertThat(allows()).isFalse();
        first.length(100);
        first.moveStart(35);
        assertThat(allows()).as("it starts before the frame").isFalse();
    }

    @Test
    void allowSegmentationWithItsChecksum() {
        askForSegments();
        assertThat(allows()).isTrue();
        first.clearOffloads(Offloads.NEEDS_CHECKSUM);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowSegmentationByTheirRules() {
        askForSegments();
        first.segment(Segmentation.TCP6, 74, 1000);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowHeadersWithinTheFirstSlot() {
        askForSegments();
        first.length(53);
        assertThat(allows()).isFalse();
        first.length(100);
        first.segment(Segmentation.TCP4, 54, 0x10000);
        assertThat(allows()).isFalse();
    }

    @Test
    void allowCwrOnlyWhereItIsKnown() {
        askForSegments();
        first.setByte(34 + 13, (byte) 0x90);
        assertThat(allows()).isFalse();
    }
}
