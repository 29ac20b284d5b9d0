package io.doorbell.bench.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class WorkloadTest {

    @Test
    void makesADatagramThatTheKernelWouldTake() {
        ByteBuffer frame = ByteBuffer.wrap(Workload.frame());
        int sum = 0;
        for (int at = 14; at < 34; at += 2) {
            sum += frame.getShort(at) & 0xffff;
        }

        assertThat(frame.capacity()).isEqualTo(Workload.LENGTH);
        assertThat(frame.getShort(12)).isEqualTo((short) 0x0800);
        assertThat((sum & 0xffff) + (sum >>> 16))
                .as("checksum of the IPv4 header")
                .isEqualTo(0xffff);
        assertThat(frame.getShort(16)).as("length from IPv4 on").isEqualTo((short) (Workload.LENGTH - 14));
        assertThat(frame.getShort(38)).as("length from UDP on").isEqualTo((short) (Workload.LENGTH - 34));
    }
}
