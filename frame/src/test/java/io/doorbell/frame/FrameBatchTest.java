package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class FrameBatchTest {

    private static final int BUFFERS = 8;
    private static final int BUFFER_SIZE = 256;

    private final FramePool pool =
            FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(BUFFERS, BUFFER_SIZE), 64), BUFFERS, BUFFER_SIZE);
    private final FrameBatch batch = new FrameBatch(4);

    private void fill(int frames) {
        assertThat(pool.allocate(batch, frames)).isEqualTo(frames);
        for (int i = 0; i < frames; i++) {
            batch.frame(i).length(60);
            batch.frame(i).setInt(0, i);
        }
    }

    @Test
    void allocatesNoMoreThanTheBatchHolds() {
        assertThat(pool.allocate(batch, 5)).isEqualTo(4);
        assertThat(pool.available()).isEqualTo(4);
        assertThat(batch.room()).isZero();
    }

    @Test
    void allocatesNoMoreThanThePoolHas() {
        FrameBatch large = new FrameBatch(20);
        assertThat(pool.allocate(large, 20)).isEqualTo(BUFFERS);
        assertThat(pool.available()).isZero();
        assertThat(pool.allocate(large, 1)).isZero();
    }

    @Test
    void givesEveryFrameADifferentBuffer() {
        FrameBatch all = new FrameBatch(BUFFERS);
        pool.allocate(all, BUFFERS);
        for (int i = 0; i < BUFFERS; i++) {
            all.frame(i).length(60);
            all.frame(i).setLong(0, i);
        }
        for (int i = 0; i < BUFFERS; i++) {
            assertThat(all.frame(i).getLong(0)).isEqualTo(i);
        }
    }

    @Test
    void releasesEachFrameOnceHoweverOftenItIsAsked() {
        fill(3);
        batch.release();
        batch.release();
        assertThat(pool.available()).isEqualTo(BUFFERS);
        assertThat(batch.isEmpty()).isTrue();
    }

    @Test
    void refusesAFrameThatWasReleased() {
        fill(1);
        Frame frame = batch.frame(0);
        batch.release();
        assertThatThrownBy(() -> frame.getByte(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not yours any more");
        assertThatThrownBy(() -> frame.setLong(0, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(frame::memory).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void keepsTheOthersInOrderWhenOneIsReleased() {
        fill(4);
        Frame second = batch.frame(1);
        batch.release(1);
        assertThat(batch.size()).isEqualTo(3);
        assertThat(batch.frame(0).getInt(0)).isZero();
        assertThat(batch.frame(1).getInt(0)).isEqualTo(2);
        assertThat(batch.frame(2).getInt(0)).isEqualTo(3);
        assertThat(pool.available()).isEqualTo(BUFFERS - 3);
        assertThatThrownBy(second::length).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void movesAFrameToAnotherBatchWithoutCopying() {
        fill(3);
        FrameBatch other = new FrameBatch(1);
        long position = batch.frame(0).position();
        batch.moveTo(other, 0);
        assertThat(other.frame(0).position()).isEqualTo(position);
        assertThat(other.frame(0).length()).isEqualTo(60);
        assertThat(batch.frame(0).getInt(0)).isEqualTo(1);
        assertThatThrownBy(() -> batch.moveTo(other, 0)).hasMessageContaining("full");
        assertThat(batch.size()).as("the frame that did not fit stays").isEqualTo(2);
    }

    @Test
    void leavesWhatADriverDidNotTakeAtTheFront() {
        fill(4);
        batch.detach(3);
        assertThat(batch.size()).isEqualTo(1);
        assertThat(batch.frame(0).getInt(0)).isEqualTo(3);
        assertThat(pool.available()).as("the driver owns the three").isEqualTo(BUFFERS - 4);
        pool.allocate(batch, 3);
        assertThat(batch.size()).isEqualTo(4);
    }

    @Test
    void refusesAnIndexBehindTheLastFrame() {
        fill(2);
        assertThatThrownBy(() -> batch.frame(2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.release(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.detach(3)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void checksPositionsAgainstTheFrameNotTheBuffer() {
        fill(1);
        Frame frame = batch.frame(0);
        frame.setLong(52, 1);
        assertThatThrownBy(() -> frame.setLong(53, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getByte(60)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> frame.getByte(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void saysHowMuchRoomABufferHas() {
        fill(1);
        Frame frame = batch.frame(0);
        frame.length(BUFFER_SIZE - FramePool.HEADROOM);
        assertThatThrownBy(() -> frame.length(BUFFER_SIZE - FramePool.HEADROOM + 1))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("193 bytes does not fit")
                .hasMessageContaining("room for 192");
    }

    @Test
    void prependsAndStripsHeadersInPlace() {
        fill(1);
        Frame frame = batch.frame(0);
        frame.setShort(0, (short) 0x1234);
        frame.moveStart(-4);
        assertThat(frame.length()).isEqualTo(64);
        assertThat(frame.headroom()).isEqualTo(FramePool.HEADROOM - 4);
        assertThat(frame.getShort(4)).isEqualTo((short) 0x1234);
        frame.moveStart(4);
        assertThat(frame.getShort(0)).isEqualTo((short) 0x1234);
        assertThatThrownBy(() -> frame.moveStart(61)).isInstanceOf(DoorbellException.class);
        assertThatThrownBy(() -> frame.moveStart(-65)).isInstanceOf(DoorbellException.class);
    }

    @Test
    void keepsMacAddressesInNetworkOrder() {
        fill(1);
        Frame frame = batch.frame(0);
        MacAddress mac = MacAddress.parse("52:54:00:fe:dc:ba");
        frame.setMac(6, mac);
        assertThat(frame.getMac(6)).isEqualTo(mac);
        assertThat(frame.getByte(6)).isEqualTo((byte) 0x52);
        assertThat(frame.getByte(11)).isEqualTo((byte) 0xba);
    }

    @Test
    void swapsTheAddressesAndNothingElse() {
        fill(1);
        Frame frame = batch.frame(0);
        frame.copyFrom(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
        frame.swapMacs();
        assertThat(frame.toByteArray()).containsExactly(7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 13, 14, 15, 16);
    }

    @Test
    void releasesFramesOfSeveralPoolsEachToItsOwn() {
        FramePool second = FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(2, 256), 64), 2, 256);
        pool.allocate(batch, 1);
        second.allocate(batch, 2);
        pool.allocate(batch, 1);
        batch.release();
        assertThat(pool.available()).isEqualTo(BUFFERS);
        assertThat(second.available()).isEqualTo(2);
    }

    @Test
    void treatsSeveralSlotsAsOneFrameOnceTheyAreJoined() {
        fill(4);
        batch.join(1, 2);
        assertThat(batch.slots(0)).isEqualTo(1);
        assertThat(batch.slots(1)).isEqualTo(2);
        assertThat(batch.length(1)).isEqualTo(120);
        assertThat(batch.frame(1).continues()).isTrue();
        assertThat(batch.frame(2).continues()).isFalse();
        batch.frame(1).clearOffloads();
        assertThat(batch.slots(1)).as("it still has two slots").isEqualTo(2);
        batch.release(1);
        assertThat(batch.size()).isEqualTo(2);
        assertThat(batch.frame(1).getInt(0)).isEqualTo(3);
        assertThat(pool.available()).isEqualTo(BUFFERS - 2);
    }

    @Test
    void movesAFrameWithAllOfItsSlotsOrNotAtAll() {
        fill(4);
        batch.join(0, 3);
        FrameBatch small = new FrameBatch(2);
        assertThatThrownBy(() -> batch.moveTo(small, 0)).hasMessageContaining("full");
        assertThat(batch.size()).isEqualTo(4);
        assertThat(small.isEmpty()).isTrue();
        FrameBatch other = new FrameBatch(3);
        batch.moveTo(other, 0);
        assertThat(other.slots(0)).isEqualTo(3);
        assertThat(other.frame(2).getInt(0)).isEqualTo(2);
        assertThat(batch.frame(0).getInt(0)).isEqualTo(3);
    }

    @Test
    void refusesToTearAFrameApart() {
        fill(3);
        batch.join(0, 2);
        assertThatThrownBy(() -> batch.release(1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name the frame's first slot");
        assertThatThrownBy(() -> batch.moveTo(new FrameBatch(1), 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.join(2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void refusesFewerSlotsThanNone() {
        fill(3);
        assertThatThrownBy(() -> batch.append(pool, new int[4], 0, 0, new int[4], -1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.append(pool, new int[1], 1, 0, new int[1], 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.join(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.join(Integer.MAX_VALUE, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.detach(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new FrameBatch(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(batch.size()).isEqualTo(3);
        batch.release();
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void forgetsThatAFrameWentOnWhenItsSlotIsUsedAgain() {
        fill(2);
        batch.join(0, 2);
        batch.release();
        fill(1);
        assertThat(batch.frame(0).continues()).isFalse();
    }
}
