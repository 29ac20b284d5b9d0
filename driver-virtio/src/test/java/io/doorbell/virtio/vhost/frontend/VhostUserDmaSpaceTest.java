package io.doorbell.virtio.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.dma.DmaRegion;
import org.junit.jupiter.api.Test;

class VhostUserDmaSpaceTest {

    private static final int RING = 4096 + 128;

    @Test
    void putsRingsIntoOneFileThatIsNotTheFrames() {
        try (VhostUserDmaSpace space = new VhostUserDmaSpace(() -> {})) {
            DmaRegion pool = space.allocate((2L << 20) + RING);
            DmaRegion receive = space.allocate(RING);
            DmaRegion transmit = space.allocate(RING);

            assertThat(space.shared()).hasSize(2);
            assertThat(transmit.deviceAddress() - receive.deviceAddress()).isEqualTo(RING);
            assertThat(Math.abs(receive.deviceAddress() - pool.deviceAddress())).isGreaterThan(4L << 20);
        }
    }
}
