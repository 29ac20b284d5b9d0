package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.IntStream;
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
        assertThat(batch.remaining()).isZero();
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

    /** The numbers that {@link #fill} gave the frames. */
    private static List<Integer> numbers(FrameBatch of) {
        return IntStream.range(0, of.size())
                .mapToObj(i -> of.frame(i).getInt(0))
                .toList();
    }

    @Test
    void allocatesAFrameAndGivesItToTheCaller() {
        fill(1);
        Frame frame = pool.allocate(batch);
        assertThat(frame).isSameAs(batch.frame(1));
        assertThat(frame.length()).isZero();
        assertThat(frame.headroom()).isEqualTo(FramePool.HEADROOM);
        pool.allocate(batch, 2);
        assertThat(pool.allocate(batch)).as("the batch is full").isNull();
        assertThat(pool.available()).isEqualTo(BUFFERS - 4);
        FrameBatch rest = new FrameBatch(BUFFERS);
        pool.allocate(rest, BUFFERS);
        batch.release(0);
        pool.allocate(rest, 1);
        assertThat(pool.allocate(batch)).as("the pool has run out").isNull();
    }

    @Test
    void movesAsManyFramesAsFitAndKeepsTheOthers() {
        fill(4);
        batch.join(1, 2);
        FrameBatch small = new FrameBatch(2);
        assertThat(batch.moveTo(small))
                .as("the frame of two slots does not fit")
                .isEqualTo(1);
        assertThat(numbers(small)).containsExactly(0);
        assertThat(numbers(batch)).containsExactly(1, 2, 3);
        FrameBatch large = new FrameBatch(8);
        assertThat(batch.moveTo(large)).isEqualTo(3);
        assertThat(batch.isEmpty()).isTrue();
        assertThat(large.slots(0)).isEqualTo(2);
        assertThat(numbers(large)).containsExactly(1, 2, 3);
        assertThat(batch.moveTo(large)).isZero();
        assertThatThrownBy(() -> large.moveTo(large)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void distributesFramesInOrder() {
        FrameBatch in = new FrameBatch(8);
        pool.allocate(in, 8);
        for (int i = 0; i < 8; i++) {
            in.frame(i).length(60);
            in.frame(i).setInt(0, i);
        }
        in.join(4, 2);
        FrameBatch first = new FrameBatch(8);
        FrameBatch second = new FrameBatch(8);
        int ignored = 99;
        int moved = in.distribute(new int[] {1, -1, 0, 1, 0, ignored, -7, 1}, first, second);
        assertThat(moved).isEqualTo(6);
        assertThat(numbers(first)).containsExactly(2, 4, 5);
        assertThat(first.slots(1)).isEqualTo(2);
        assertThat(numbers(second)).containsExactly(0, 3, 7);
        assertThat(numbers(in)).containsExactly(1, 6);
        in.release();
        first.release();
        second.release();
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }

    @Test
    void letsNoFrameOvertakeOneThatFoundNoRoom() {
        fill(4);
        batch.join(1, 2);
        FrameBatch small = new FrameBatch(2);
        FrameBatch other = new FrameBatch(1);
        assertThat(batch.distribute(new int[] {0, 0, 0, 0}, small, other)).isEqualTo(1);
        assertThat(numbers(small)).as("there is room for the last one").containsExactly(0);
        assertThat(numbers(batch)).containsExactly(1, 2, 3);
        small.release();
        assertThat(batch.distribute(new int[] {0, 0, 1}, small, other)).isEqualTo(3);
        assertThat(numbers(small)).containsExactly(1, 2);
        assertThat(numbers(other)).containsExactly(3);
    }

    @Test
    void distributesNothingWhereAChoiceCannotBe() {
        fill(3);
        FrameBatch other = new FrameBatch(4);
        assertThatThrownBy(() -> batch.distribute(new int[] {0, 0}, other))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.distribute(new int[] {0, 0, 1}, other))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> batch.distribute(new int[] {0, 0, 1}, other, batch))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("in this batch already");
        assertThat(numbers(batch)).containsExactly(0, 1, 2);
        assertThat(other.isEmpty()).isTrue();
    }

    @Test
    void copiesAFrameWithAllOfItsSlots() {
        fill(3);
        batch.join(0, 2);
        batch.frame(0).hash(77);
        batch.frame(0).tag(5);
        batch.frame(1).moveStart(-FramePool.HEADROOM);
        batch.frame(1).length(BUFFER_SIZE); // as a driver fills the buffers behind the first
        batch.frame(1).setInt(0, 1);
        FrameBatch other = new FrameBatch(3);
        assertThat(batch.copyTo(other, 0, pool)).isTrue();
        assertThat(other.size()).isEqualTo(2);
        assertThat(other.slots(0)).isEqualTo(2);
        assertThat(other.frame(0).hash()).isEqualTo(77);
        assertThat(other.frame(0).tag()).isEqualTo(5);
        assertThat(other.frame(0).headroom()).isEqualTo(FramePool.HEADROOM);
        assertThat(other.frame(1).headroom()).isZero();
        for (int i = 0; i < 2; i++) {
            assertThat(other.frame(i).toByteArray()).isEqualTo(batch.frame(i).toByteArray());
            assertThat(other.frame(i).position()).isNotEqualTo(batch.frame(i).position());
        }
        assertThat(batch.size()).isEqualTo(3);
        assertThat(pool.available()).isEqualTo(BUFFERS - 5);
    }

    @Test
    void copiesIntoItselfAndIntoSmallerBuffers() {
        FramePool small = FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(1, 80), 64), 1, 80);
        fill(1);
        assertThat(batch.copyTo(batch, 0, small)).isTrue();
        assertThat(batch.frame(1).toByteArray()).isEqualTo(batch.frame(0).toByteArray());
        assertThat(batch.frame(1).pool()).isSameAs(small);
        assertThat(batch.frame(1).headroom()).isEqualTo(20);
    }

    @Test
    void copiesNothingWhereThereIsNoRoomOrNoBuffer() {
        fill(3);
        batch.join(0, 2);
        FrameBatch other = new FrameBatch(2);
        FramePool one = FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(1, BUFFER_SIZE), 64), 1, BUFFER_SIZE);
        assertThat(batch.copyTo(other, 0, one)).as("two are needed").isFalse();
        assertThat(other.isEmpty()).isTrue();
        assertThat(one.available()).isEqualTo(1);
        pool.allocate(other, 1);
        int before = pool.available();
        assertThat(batch.copyTo(other, 0, pool)).as("one slot is free").isFalse();
        assertThat(pool.available()).isEqualTo(before);
        assertThatThrownBy(() -> batch.copyTo(other, 1, pool)).isInstanceOf(IllegalArgumentException.class);
        FramePool tiny = FramePool.in(Arena.ofAuto().allocate(FramePool.bytesFor(2, 65), 64), 2, 65);
        batch.frame(2).length(66);
        assertThatThrownBy(() -> batch.copyTo(other, 2, tiny))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("66 bytes")
                .hasMessageContaining("have 65");
        assertThat(other.size()).isEqualTo(1);
    }

    @Test
    void leavesNoPartOfACopyOfAFrameWhosePoolIsClosed() {
        FramePool gone = FramePool.create(2, BUFFER_SIZE);
        gone.allocate(batch, 2);
        batch.join(0, 2);
        batch.frame(0).length(60);
        gone.close();
        FrameBatch other = new FrameBatch(2);
        assertThatThrownBy(() -> batch.copyTo(other, 0, pool))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the pool of 2 buffers of 256 bytes is closed");
        assertThat(other.isEmpty()).isTrue();
        assertThat(pool.available()).isEqualTo(BUFFERS);
    }
}
