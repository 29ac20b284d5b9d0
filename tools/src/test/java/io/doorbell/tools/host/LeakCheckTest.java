package io.doorbell.tools.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.FramePool;
import org.junit.jupiter.api.Test;

class LeakCheckTest {

    @Test
    void seesTheMemoryAndTheFileOfAFramePoolUntilItIsClosed() {
        try (FramePool pool = FramePool.create(64, 2048)) {
            assertThat(LeakCheck.ofThisProcess()).as("%s", pool).hasSizeGreaterThanOrEqualTo(2);
        }
        assertThat(LeakCheck.ofThisProcess()).isEmpty();
    }
}
