package io.doorbell.frame.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.dma.LocalDmaSpace;
import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import io.doorbell.frame.NicClosedException;
import org.junit.jupiter.api.Test;

class PoolRegistrationsTest {

    private static final int BUFFER_SIZE = 256;

    @Test
    void saysWhoseFrameItIsThatWasUsedAfterItsNicWasClosed() {
        LocalDmaSpace space = new LocalDmaSpace();
        PoolRegistrations pools = new PoolRegistrations("0000:01:00.0", space);
        pools.create(2, 4, BUFFER_SIZE);
        FrameBatch batch = new FrameBatch(2);
        pools.pool(1).allocate(batch, 1);
        Frame frame = batch.frame(0);
        frame.length(60);

        pools.close();
        pools.close();

        for (int slot = 0; slot < 2; slot++) {
            FramePool pool = pools.pool(slot);
            assertThatThrownBy(() -> pool.allocate(batch, 1))
                    .isInstanceOf(NicClosedException.class)
                    .hasMessage("the pool of 0000:01:00.0 is closed");
        }
        assertThatThrownBy(() -> frame.getLong(0))
                .isInstanceOf(NicClosedException.class)
                .hasMessage("the pool of 0000:01:00.0 is closed");
        batch.release();
        assertThat(pools.pool(1).available()).isEqualTo(4);
        space.close();
    }

    /** The memory may go with all else that the device reaches, before anybody has said so to the pool. */
    @Test
    void saysSoTooWhenTheMemoryHasGoneFirst() {
        LocalDmaSpace space = new LocalDmaSpace();
        PoolRegistrations pools = new PoolRegistrations("0000:01:00.0", space);
        FrameBatch batch = new FrameBatch(1);
        pools.create(1, 4, BUFFER_SIZE);
        pools.pool(0).allocate(batch, 1);
        batch.frame(0).length(60);

        space.close();

        assertThatThrownBy(() -> batch.frame(0).setInt(0, 1)).isInstanceOf(NicClosedException.class);
        pools.close();
    }

    @Test
    void leavesAPoolOfTheApplicationsOpen() {
        LocalDmaSpace space = new LocalDmaSpace();
        try (FramePool pool = FramePool.create(4, BUFFER_SIZE)) {
            PoolRegistrations pools = new PoolRegistrations("0000:01:00.0", space);
            pools.register(pool);
            pools.close();
            FrameBatch batch = new FrameBatch(1);
            assertThat(pool.allocate(batch, 1)).isEqualTo(1);
            batch.frame(0).length(60);
            batch.frame(0).setInt(0, 1);
        }
        space.close();
    }
}
