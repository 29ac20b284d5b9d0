package io.doorbell.tools.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FramePool;
import org.junit.jupiter.api.Test;

class LeftoversTest {

    @Test
    void seesTheMemoryAndTheFileOfAFramePoolUntilItIsClosed() {
        try (FramePool pool = FramePool.create(64, 2048)) {
            assertThat(Leftovers.ofThisProcess()).as("%s", pool).hasSizeGreaterThanOrEqualTo(2);
        }
        assertThat(Leftovers.ofThisProcess()).isEmpty();
    }
}
