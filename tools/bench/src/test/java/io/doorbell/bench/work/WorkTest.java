package io.doorbell.bench.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class WorkTest {

    @Test
    void makesADatagramThatTheKernelWouldTake() {
        ByteBuffer frame = ByteBuffer.wrap(Work.frame());
        int sum = 0;
        for (int at = 14; at < 34; at += 2) {
            sum += frame.getShort(at) & 0xffff;
        }

        assertThat(frame.capacity()).isEqualTo(Work.LENGTH);
        assertThat(frame.getShort(12)).isEqualTo((short) 0x0800);
        assertThat((sum & 0xffff) + (sum >>> 16))
                .as("checksum of the IPv4 header")
                .isEqualTo(0xffff);
        assertThat(frame.getShort(16)).as("length from IPv4 on").isEqualTo((short) (Work.LENGTH - 14));
        assertThat(frame.getShort(38)).as("length from UDP on").isEqualTo((short) (Work.LENGTH - 34));
    }
}
