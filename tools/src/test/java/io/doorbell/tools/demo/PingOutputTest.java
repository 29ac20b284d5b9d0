package io.doorbell.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import org.junit.jupiter.api.Test;

class PingOutputTest {

    @Test
    void understandsBusyboxAndIputils() {
        assertThat(PingOutput.answered("5 packets transmitted, 4 packets received, 20% packet loss\n"))
                .isEqualTo(4);
        assertThat(PingOutput.answered("5 packets transmitted, 5 received, 0% packet loss, time 803ms\n"))
                .isEqualTo(5);
    }

    @Test
    void showsWhatPingPrintedWhenItDidNotCount() {
        assertThatThrownBy(() -> PingOutput.answered("ping: bad address 'x'\n"))
                .isInstanceOf(DoorbellException.class)
                .hasMessage("ping did not run to its end; it printed: ping: bad address 'x'");
    }
}
