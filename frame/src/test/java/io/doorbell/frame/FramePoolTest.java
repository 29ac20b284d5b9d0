package io.doorbell.frame;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
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

    /** All of the pool's buffers, in the order of its memory. */
    private static int[] buffers(FramePool pool) {
        int[] all = new int[BUFFERS];
        assertThat(pool.take(all, 0, BUFFERS)).isEqualTo(BUFFERS);
        Arrays.sort(all);
        return all;
    }

    private static FramePool pool(int bufferSize) {
        return FramePool.in(
                Arena.ofAuto().allocate(FramePool.bytesFor(BUFFERS, bufferSize), PAGE), BUFFERS, bufferSize);
    }
}
