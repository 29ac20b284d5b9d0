package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FramePoolTest {

    private static final int BUFFERS = 200;
    private static final int PAGE = 4096;

    @ParameterizedTest
    @ValueSource(ints = {65, 128, 1600, 2048, 2049, 2112, 4032, 4096})
    void placesNoBufferAcrossTwoPages(int bufferSize) {
        FramePool pool = pool(bufferSize);

        for (int buffer : buffers(pool)) {
            long first = pool.position(buffer);
            long last = first + bufferSize - 1;
            assertThat(last / PAGE).as("buffer %d", buffer).isEqualTo(first / PAGE);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {65, 128, 1600, 2048, 2112, 4096, 4097, 9600, 65536})
    void placesBuffersOnCacheLinesBehindEachOtherWithinItsMemory(int bufferSize) {
        FramePool pool = pool(bufferSize);

        long end = 0;
        for (int buffer : buffers(pool)) {
            assertThat(pool.position(buffer)).isGreaterThanOrEqualTo(end);
            assertThat(pool.position(buffer) % 64).isZero();
            end = pool.position(buffer) + bufferSize;
        }
        assertThat(end).isLessThanOrEqualTo(pool.memory().byteSize());
    }

    @Test
    void spreadsTheStartsOfBuffersOverTheSetsOfTheCache() {
        FramePool pool = pool(FramePool.HEADROOM + 2048);

        Set<Long> sets = new HashSet<>();
        for (int buffer : Arrays.copyOf(buffers(pool), 32)) {
            sets.add(pool.position(buffer) / 64 % 64);
        }
        assertThat(sets).hasSize(32);
    }

    @Test
    void givesEachOfManyBuffersASetOfItsOwnInASecondLevelCache() {
        FramePool pool = pool(FramePool.HEADROOM + 2048);

        Set<Long> sets = new HashSet<>();
        for (int buffer : buffers(pool)) {
            sets.add(pool.position(buffer) / 64 % 2048);
        }
        assertThat(sets).hasSize(BUFFERS);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, -7, Integer.MIN_VALUE})
    void refusesToAllocateFewerThanNone(int count) {
        FramePool pool = pool(256);
        FrameBatch held = new FrameBatch(8);
        pool.allocate(held, 4);

        FrameBatch batch = new FrameBatch(8);
        assertThatThrownBy(() -> pool.allocate(batch, count))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(count));
        assertThatThrownBy(() -> pool.allocate(new int[8], 0, count)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pool.free(new int[8], 0, count)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(availableFromOutside(pool)).isEqualTo(BUFFERS - 4);
        assertThat(pool.allocate(batch, 8)).isEqualTo(8);
        assertThat(positions(batch)).doesNotContainAnyElementsOf(positions(held));
    }

    @Test
    void staysUsableAfterArgumentsThatCannotBe() {
        FramePool pool = pool(256);

        assertThatThrownBy(() -> pool.allocate(null, 1)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> pool.allocate(null, 0, 1)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> pool.allocate(new int[4], 1, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pool.allocate(new int[4], -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pool.free(null, 0, 1)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> pool.free(new int[4], 2, 3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(availableFromOutside(pool)).isEqualTo(BUFFERS);
    }

    @Test
    void refusesMoreBuffersThanItGaveOut() {
        FramePool pool = pool(256);
        int[] taken = new int[3];
        pool.allocate(taken, 0, 3);

        assertThatThrownBy(() -> pool.free(new int[4], 0, 4))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("4 buffers")
                .hasMessageContaining("3 of its 200");
        pool.free(taken, 0, 3);
        assertThat(availableFromOutside(pool)).isEqualTo(BUFFERS);
    }

    @Test
    void refusesMemoryThatNoDeviceCanWriteTo() {
        long bytes = FramePool.bytesFor(4, 256);

        assertThatThrownBy(() -> FramePool.in(MemorySegment.ofArray(new long[(int) bytes / 8]), 4, 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("native");
        assertThatThrownBy(() -> FramePool.in(Arena.ofAuto().allocate(bytes, 64).asReadOnly(), 4, 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("read-only");
    }

    @Test
    void mayBeClosedTwiceAndSaysSoToWhoeverGoesOn() {
        FramePool pool = FramePool.create(4, 256);
        FrameBatch batch = new FrameBatch(2);
        pool.allocate(batch, 2);
        Frame frame = batch.frame(0);
        frame.length(60);

        pool.close();
        pool.close();

        String message = "the pool of 4 buffers of 256 bytes is closed";
        assertThatThrownBy(() -> pool.allocate(batch, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> pool.allocate(new int[1], 0, 1)).hasMessage(message);
        assertThatThrownBy(() -> frame.getByte(0)).hasMessage(message);
        assertThatThrownBy(() -> frame.getShort(0)).hasMessage(message);
        assertThatThrownBy(() -> frame.getInt(0)).hasMessage(message);
        assertThatThrownBy(() -> frame.getLong(0)).hasMessage(message);
        assertThatThrownBy(() -> frame.setByte(0, (byte) 1)).hasMessage(message);
        assertThatThrownBy(() -> frame.setShort(0, (short) 1)).hasMessage(message);
        assertThatThrownBy(() -> frame.setInt(0, 1)).hasMessage(message);
        assertThatThrownBy(() -> frame.setLong(0, 1)).hasMessage(message);
        assertThatThrownBy(() -> frame.getMac(0)).hasMessage(message);
        assertThatThrownBy(() -> frame.setMac(0, MacAddress.BROADCAST)).hasMessage(message);
        assertThatThrownBy(frame::swapMacs).hasMessage(message);
        assertThatThrownBy(frame::toByteArray).hasMessage(message);
        assertThatThrownBy(() -> frame.copyFrom(new byte[60])).hasMessage(message);
        assertThatThrownBy(() -> frame.copyFrom(frame)).hasMessage(message);
        MemorySegment other = MemorySegment.ofArray(new byte[60]);
        assertThatThrownBy(() -> frame.getBytes(0, other, 0, 60)).hasMessage(message);
        assertThatThrownBy(() -> frame.setBytes(0, other, 0, 60)).hasMessage(message);
        assertThatThrownBy(() -> frame.addHeadroom(4)).hasMessage(message);
        batch.release();
        assertThatThrownBy(() -> frame.getByte(0)).hasMessageContaining("not yours any more");
    }

    /** As another thread sees it, which would wait for ever for a lock that was left locked. */
    private static int availableFromOutside(FramePool pool) {
        int[] available = {-1};
        Thread other = Thread.ofPlatform().daemon().start(() -> available[0] = pool.available());
        try {
            assertThat(other.join(Duration.ofSeconds(10)))
                    .as("the pool is unlocked")
                    .isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return available[0];
    }

    private static Set<Long> positions(FrameBatch batch) {
        Set<Long> positions = new HashSet<>();
        for (int i = 0; i < batch.size(); i++) {
            positions.add(batch.frame(i).position());
        }
        return positions;
    }

    /** All of the pool's buffers, in the order of its memory. */
    private static int[] buffers(FramePool pool) {
        int[] all = new int[BUFFERS];
        assertThat(pool.allocate(all, 0, BUFFERS)).isEqualTo(BUFFERS);
        Arrays.sort(all);
        return all;
    }

    private static FramePool pool(int bufferSize) {
        return FramePool.in(
                Arena.ofAuto().allocate(FramePool.bytesFor(BUFFERS, bufferSize), PAGE), BUFFERS, bufferSize);
    }
}
