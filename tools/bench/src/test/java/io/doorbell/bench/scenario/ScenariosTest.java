package io.doorbell.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScenariosTest {

    private static List<String> names(String... asked) {
        return Scenarios.named(List.of(asked)).stream().map(Scenario::name).toList();
    }

    @Test
    void takesAllWhenNoneIsNamed() {
        assertThat(Scenarios.named(List.of())).isEqualTo(Scenarios.all());
    }

    @Test
    void takesTheBeginningOfANameForAllThatBeginSo() {
        assertThat(names("vhost-user")).containsExactly("vhost-user-receive", "vhost-user-send", "vhost-user-forward");
        assertThat(names("vhost-user-send")).containsExactly("vhost-user-send");
    }

    @Test
    void scalesByEachParameterWhenNoneIsNamed() {
        assertThat(names("scale")).containsExactly("scale-queues", "scale-pool", "scale-batch", "scale-size");
    }

    @Test
    void saysWhatThereIsWhenANameIsWrong() {
        assertThatThrownBy(() -> names("vhost-user-send", "vhost-us"))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining("'vhost-us'; there are vhost-user-receive, ");
    }
}
