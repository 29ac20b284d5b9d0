package io.doorbell.frame.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlowRuleTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "syn to queue 0",
                "udp any > any:53 to queue 15, priority 7",
                "ethertype 0x88f7 to queue 1",
                "bytes 0=01 12=88cc to queue 99999, priority 99999"
            })
    void printsAsItIsWritten(String text) {
        assertThat(FlowRule.parse(text)).hasToString(text);
    }

    @Test
    void hasOneFormForEach() {
        assertThat(FlowRule.parse("  SYN  to  Queue 01 ,priority  0 "))
                .isEqualTo(new FlowRule(new SynMatch(), 1))
                .hasToString("syn to queue 1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "syn",
                "syn to 1",
                "syn to queue",
                "syn to queue -1",
                "syn to queue 1 priority 2",
                "syn to queue 1, priority",
                "syn to queue 123456",
                "to queue 1",
                "synto queue 1"
            })
    void saysHowToWriteIt(String text) {
        assertThatThrownBy(() -> FlowRule.parse(text))
                .isInstanceOf(DoorbellException.class)
                .hasMessageStartingWith("'" + text + "' is no rule for a flow: ")
                .hasMessageContaining("'udp any > any:53 to queue 2'");
    }

    @Test
    void saysWhatIsWrongWithTheMatch() {
        assertThatThrownBy(() -> FlowRule.parse("icmp to queue 1"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("'icmp' does not say which frames");
    }

    @ParameterizedTest
    @CsvSource({"-1, 0", "0, -1"})
    void countsFromZero(int queue, int priority) {
        assertThatThrownBy(() -> new FlowRule(new SynMatch(), queue, priority))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("'syn' cannot go to queue " + queue + " with priority " + priority);
    }
}
