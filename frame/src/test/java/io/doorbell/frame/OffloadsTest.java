package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OffloadsTest {

    private final FramePool pool = FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(2, 256), 64), 2, 256);
    private final FrameBatch batch = new FrameBatch(2);
    private Frame frame;

    @BeforeEach
    void allocate() {
        pool.allocate(batch, 1);
        frame = batch.frame(0);
        frame.length(100);
    }

    @Test
    void areNoneOnAFreshFrame() {
        assertThat(frame.offloads()).isZero();
        frame.vlanTag(7);
        batch.release();
        pool.allocate(batch, 1);
        assertThat(batch.frame(0).offloads()).isZero();
    }

    @Test
    void canBeAskedForOnlyWhereTheyAre() {
        assertThatThrownBy(frame::vlanTag)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("VLAN_TAG");
        assertThatThrownBy(frame::hash).hasMessageContaining("no HASH, only none");
        frame.vlanTag(0xf005);
        assertThat(frame.vlanTag()).isEqualTo(0xf005);
        assertThatThrownBy(() -> frame.vlanTag(0x1_2005))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("0x12005");
        assertThatThrownBy(() -> frame.vlanTag(-1)).isInstanceOf(DoorbellException.class);
    }

    @Test
    void keepTheChecksumWithinTheFrame() {
        frame.needsChecksum(34, 64);
        assertThat(frame.checksumStart()).isEqualTo(34);
        assertThat(frame.checksumOffset()).isEqualTo(64);
        assertThatThrownBy(() -> frame.needsChecksum(34, 65))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("34 + 65")
                .hasMessageContaining("100 bytes");
        assertThatThrownBy(() -> frame.needsChecksum(-1, 10)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> frame.needsChecksum(Integer.MAX_VALUE, 1)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> frame.needsChecksum(34, Integer.MAX_VALUE)).isInstanceOf(DoorbellException.class);
    }

    @Test
    void stayWithTheBytesWhenTheStartMoves() {
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.TCP4, 54, 20);
        frame.moveStart(-4);
        assertThat(frame.checksumStart()).isEqualTo(38);
        assertThat(frame.segmentHeader()).isEqualTo(58);
        frame.moveStart(4);
        assertThat(frame.checksumStart()).isEqualTo(34);
    }

    @Test
    void moveWithTheFrame() {
        frame.needsChecksum(34, 16);
        frame.segment(Segmentation.UDP, 42, 20);
        frame.hash(99);
        FrameBatch other = new FrameBatch(1);
        batch.moveTo(other, 0);
        Frame moved = other.frame(0);
        assertThat(moved.offloads()).isEqualTo(Offloads.NEEDS_CHECKSUM | Offloads.SEGMENT | Offloads.HASH);
        assertThat(moved.segmentation()).isEqualTo(Segmentation.UDP);
        assertThat(moved.segmentSize()).isEqualTo(20);
        assertThat(moved.hash()).isEqualTo(99);
        assertThatThrownBy(frame::offloads).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void refuseToCutAFrameIntoNothing() {
        assertThatThrownBy(() -> frame.segment(Segmentation.TCP6, 74, 0)).hasMessageContaining("pieces of 0 bytes");
        assertThatThrownBy(() -> frame.segment(Segmentation.TCP6, 101, 10)).hasMessageContaining("header of 101");
        assertThatThrownBy(() -> frame.segment(null, 54, 10)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void areShownByTheirNamesOrTheirBits() {
        assertThat(Offloads.toString(0)).isEqualTo("none");
        assertThat(Offloads.toString(Offloads.HASH | Offloads.VLAN_TAG)).isEqualTo("VLAN_TAG HASH");
        assertThat(Offloads.toString(Offloads.HASH | 1 << 20)).isEqualTo("HASH 0x100000");
    }
}
