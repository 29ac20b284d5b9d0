package io.doorbell.frame.ability;

import static org.assertj.core.api.Assertions.assertThat;

import io.doorbell.frame.Frame;
import io.doorbell.frame.FrameBatch;
import io.doorbell.frame.FramePool;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RxStampTest {

    /** A Delay_Req over Ethernet: clock identity 00:1b:19:ff:fe:01:02:03, port 1, sequence number 0x1234. */
    private static final String DELAY_REQ = "011b19000000" + "001b19010203" + "88f7"
            + "0102002c00000000" + "0000000000000000" + "00000000" + "001b19fffe010203" + "0001" + "1234" + "017f"
            + "00000000000000000000";

    private final FramePool pool = FramePool.create(2, 512);
    private final FrameBatch batch = new FrameBatch(1);

    @AfterEach
    void close() {
        batch.release();
        pool.close();
    }

    @Test
    void tellsItsFrameFromOthers() {
        pool.allocate(batch);
        Frame frame = batch.frame(0);
        frame.copyFrom(HexFormat.of().parseHex(DELAY_REQ));
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, 14)).isTrue();
        assertThat(new RxStamp(1, 0x19fffe010204L, 0x1234).isOf(frame, 14)).isFalse();
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1235).isOf(frame, 14)).isFalse();
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, 18)).isFalse();
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, 42))
                .as("ends before")
                .isFalse();
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, -1)).isFalse();
        frame.length(46);
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, 14)).isTrue();
        frame.length(45);
        assertThat(new RxStamp(1, 0x19fffe010203L, 0x1234).isOf(frame, 14))
                .as("too short")
                .isFalse();
    }
}
