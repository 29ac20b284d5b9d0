package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class FrameTest {

    private static final int BUFFER_SIZE = 256;
    private static final int MOST_BYTES = BUFFER_SIZE - FramePool.HEADROOM;

    private final FrameBatch batch = new FrameBatch(4);
    private final Frame frame = allocate(pool(BUFFER_SIZE));

    private static FramePool pool(int bufferSize) {
        return FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(4, bufferSize), 64), 4, bufferSize);
    }

    private Frame allocate(FramePool pool) {
        assertThat(pool.allocate(batch, 1)).isEqualTo(1);
        return batch.frame(batch.size() - 1);
    }

    private static byte[] numbered(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    @Test
    void readsUnsignedNumbersInNetworkOrder() {
        frame.length(16);
        frame.setLong(1, 0xfedc_ba98_7654_3210L);
        assertThat(frame.getUnsignedByte(1)).isEqualTo(0xfe);
        assertThat(frame.getUnsignedShort(1)).isEqualTo(0xfedc);
        assertThat(frame.getUnsignedInt(1)).isEqualTo(0xfedc_ba98L);
        assertThat(frame.getUnsignedByte(8)).isEqualTo(0x10);
        assertThatThrownBy(() -> frame.getUnsignedByte(16)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getUnsignedShort(15)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getUnsignedInt(13)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void copiesAFrameOfAnotherPoolWithWhatIsKnownOfIt() {
        Frame source = allocate(pool(512));
        source.copyFrom(numbered(100));
        source.needsChecksum(34, 16);
        source.segment(Segmentation.TCP6, 54, 20);
        source.vlanTag(0xffff);
        source.hash(0x1234_5678);
        source.addOffloads(Offloads.CHECKSUM_GOOD);
        source.tag(7);
        frame.moveStart(-10);

        frame.copyFrom(source);

        assertThat(frame.toByteArray()).isEqualTo(numbered(100));
        assertThat(frame.headroom()).isEqualTo(FramePool.HEADROOM - 10);
        assertThat(frame.offloads()).isEqualTo(source.offloads());
        assertThat(frame.checksumStart()).isEqualTo(34);
        assertThat(frame.checksumOffset()).isEqualTo(16);
        assertThat(frame.segmentation()).isEqualTo(Segmentation.TCP6);
        assertThat(frame.segmentHeader()).isEqualTo(54);
        assertThat(frame.segmentSize()).isEqualTo(20);
        assertThat(frame.vlanTag()).isEqualTo(0xffff);
        assertThat(frame.hash()).isEqualTo(0x1234_5678);
        assertThat(frame.tag()).isEqualTo(7);
        source.setByte(0, (byte) 99);
        assertThat(frame.getByte(0)).isZero();
        assertThat(source.length()).isEqualTo(100);
    }

    @Test
    void forgetsWhatWasKnownOfTheFrameThatACopyReplaces() {
        Frame source = allocate(pool(BUFFER_SIZE));
        source.copyFrom(numbered(60));
        frame.length(60);
        frame.needsChecksum(34, 16);
        frame.tag(3);
        frame.copyFrom(source);
        assertThat(frame.offloads()).isZero();
        assertThat(frame.tag()).isZero();
    }

    @Test
    void leavesToTheBatchWhetherASlotGoesOn() {
        Frame source = allocate(pool(BUFFER_SIZE));
        allocate(pool(BUFFER_SIZE));
        batch.join(1, 2);
        frame.copyFrom(source);
        assertThat(frame.continues()).isFalse();
        source.copyFrom(frame);
        assertThat(source.continues()).isTrue();
    }

    @Test
    void refusesACopyThatDoesNotFitAndChangesNothing() {
        Frame source = allocate(pool(512));
        source.length(MOST_BYTES + 1);
        frame.copyFrom(numbered(20));
        assertThatThrownBy(() -> frame.copyFrom(source))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(MOST_BYTES + 1 + " bytes does not fit");
        assertThat(frame.toByteArray()).isEqualTo(numbered(20));
        source.length(MOST_BYTES);
        frame.copyFrom(source);
        assertThat(frame.length()).isEqualTo(MOST_BYTES);
    }

    @Test
    void refusesToCopyAFrameThatIsNotTheApplications() {
        Frame source = allocate(pool(BUFFER_SIZE));
        batch.release(1);
        frame.copyFrom(numbered(20));
        assertThatThrownBy(() -> frame.copyFrom(source))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not yours any more");
        assertThat(frame.toByteArray()).isEqualTo(numbered(20));
    }

    @Test
    void copiesBytesToAndFromSegmentsAtAnyPlace() {
        MemorySegment heap = MemorySegment.ofArray(numbered(100));
        MemorySegment off = Arena.ofAuto().allocate(32);
        frame.length(60);
        frame.setBytes(50, heap, 90, 10);
        frame.getBytes(52, off, 24, 8);
        assertThat(frame.getByte(50)).isEqualTo((byte) 90);
        assertThat(off.asSlice(24, 8).toArray(ValueLayout.JAVA_BYTE)).containsExactly(92, 93, 94, 95, 96, 97, 98, 99);
        assertThat(off.get(ValueLayout.JAVA_BYTE, 23)).isZero();
        frame.getBytes(60, off, 32, 0);
    }

    @Test
    void copiesNoBytesThatAreNotBothTheFramesAndTheSegments() {
        MemorySegment other = Arena.ofAuto().allocate(32);
        frame.length(20);
        assertThatThrownBy(() -> frame.getBytes(1, other, 0, 20))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("20 bytes at 1 are not within a frame of 20 bytes");
        assertThatThrownBy(() -> frame.setBytes(-1, other, 0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getBytes(0, other, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getBytes(0, other, 31, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.setBytes(0, other, -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.setBytes(0, other, Long.MAX_VALUE, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        batch.release();
        assertThatThrownBy(() -> frame.getBytes(0, other, 0, 0)).hasMessageContaining("not yours any more");
    }

    @Test
    void showsItsBytesAndNoOthersAsASegment() {
        frame.copyFrom(numbered(40));
        frame.moveStart(4);
        MemorySegment segment = frame.asSegment();
        assertThat(segment.byteSize()).isEqualTo(36);
        assertThat(segment.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 4);
        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 36)).isInstanceOf(IndexOutOfBoundsException.class);
        segment.set(ValueLayout.JAVA_BYTE, 35, (byte) -1);
        assertThat(frame.getByte(35)).isEqualTo((byte) -1);
        batch.release();
        assertThatThrownBy(frame::asSegment).hasMessageContaining("not yours any more");
    }

    @Test
    void keepsTheApplicationsTagUntilTheFrameIsReleased() {
        assertThat(frame.tag()).isZero();
        frame.tag(-5);
        assertThat(frame.offloads()).as("a tag is no offload").isZero();
        frame.clearOffloads();
        frame.addOffloads(-1 & ~Offloads.MORE_SEGMENTS);
        assertThat(frame.tag()).isEqualTo(-5);

        FrameBatch other = new FrameBatch(1);
        batch.moveTo(other, 0);
        assertThat(other.frame(0).tag()).isEqualTo(-5);
        other.release();
        assertThat(pool(BUFFER_SIZE).allocate(other, 1)).isEqualTo(1);
        assertThat(other.frame(0).tag()).isZero();
        other.release();
        assertThatThrownBy(frame::tag).hasMessageContaining("not yours any more");
        assertThatThrownBy(() -> frame.tag(1)).hasMessageContaining("not yours any more");
    }

    @Test
    void cannotBeTaggedByADriversBits() {
        frame.addOffloads(-1);
        assertThat(frame.tag()).isZero();
    }
}
