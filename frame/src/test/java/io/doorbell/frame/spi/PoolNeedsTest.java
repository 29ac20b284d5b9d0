package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import io.doorbell.dma.LocalDmaSpace;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicConfig;
import org.junit.jupiter.api.Test;

class PoolNeedsTest {

    private static final int ROOM = 1500;
    private static final int SIZE = FramePool.HEADROOM + ROOM;
    private static final PoolNeeds NEEDS = new PoolNeeds("a NIC", ROOM, 32);
    private static final NicConfig CONFIG = NicConfig.defaults().withBufferSize(SIZE);

    @Test
    void areMetByBuffersThatAreJustLargeEnough() {
        assertThatCode(() -> NEEDS.requireRoom(1, SIZE)).doesNotThrowAnyException();
        assertThatThrownBy(() -> NEEDS.requireRoom(7, SIZE - 1))
                .isInstanceOf(DoorbellException.class)
                .hasMessage("a NIC receives a frame into one buffer of at least " + SIZE
                        + " bytes, headroom included, and the pool has 7 buffers of " + (SIZE - 1)
                        + " bytes: choose a larger size with NicConfig.withBufferSize or FramePool.create");
    }

    @Test
    void areMetByAsManyBuffersAsThereAreDescriptors() {
        try (FramePool pool = FramePool.create(64, SIZE)) {
            assertThatCode(() -> NEEDS.times(2).requireBuffers(pool)).doesNotThrowAnyException();
            assertThatThrownBy(() -> NEEDS.times(3).requireBuffers(pool))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessage("the pool has 64 buffers of " + SIZE
                            + " bytes, fewer than the 96 descriptors of the rings that are to use it: give it "
                            + (96 + 1024) + ", or choose smaller rings with NicConfig.withRingSizes");
        }
    }

    @Test
    void areNotForgottenWhereTheyAreBeyondAllBounds() {
        try (FramePool pool = FramePool.create(64, SIZE)) {
            PoolNeeds many = new PoolNeeds("a NIC", ROOM, 65536).times(65536);
            assertThatThrownBy(() -> many.requireBuffers(pool))
                    .isInstanceOf(DoorbellException.class)
                    .hasMessageContaining("fewer than the " + Integer.MAX_VALUE);
        }
    }

    @Test
    void makeAPoolForEachPairOfQueues() {
        LocalDmaSpace space = new LocalDmaSpace();
        PoolRegistrations pools = new PoolRegistrations(space);
        pools.provide(CONFIG, 3, NEEDS);
        assertThat(pools.size()).isEqualTo(3);
        assertThat(pools.pool(2).buffers()).isEqualTo(32 + 1024);
        assertThat(pools.pool(2).bufferSize()).isEqualTo(SIZE);
        pools.close();
        space.close();
    }

    @Test
    void areThoseOfAllPairsWhereTheApplicationBringsThePool() {
        LocalDmaSpace space = new LocalDmaSpace();
        PoolRegistrations pools = new PoolRegistrations(space);
        try (FramePool pool = FramePool.create(64, SIZE)) {
            NicConfig config = CONFIG.withPool(pool);
            assertThatThrownBy(() -> pools.provide(config, 3, NEEDS)).hasMessageContaining("96 descriptors");
            assertThat(pools.size()).isZero();
            pools.provide(config, 2, NEEDS);
            assertThat(pools.size()).isEqualTo(1);
            assertThat(pools.pool(0)).isSameAs(pool);
            pools.close();
        }
        space.close();
    }
}
