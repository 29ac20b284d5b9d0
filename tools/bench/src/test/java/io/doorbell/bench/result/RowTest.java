package io.doorbell.bench.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RowTest {

    static final Subject SUBJECT = new Subject("some-work", "split", "A & B", "Mframes/s", true, "work");

    @Test
    void takesTheMedianOfThePairsAndNotTheRatioOfTheMedians() {
        Row row = Row.of(SUBJECT, List.of(new Row.Pair(10, 10), new Row.Pair(30, 20), new Row.Pair(100, 400)));

        assertThat(row.ratio()).isEqualTo(1.0);
        assertThat(row.low()).isEqualTo(0.25);
        assertThat(row.high()).isEqualTo(1.5);
        assertThat(row.own()).isEqualTo(30);
        assertThat(row.other()).isEqualTo(20);
        assertThat(row.pairs()).isEqualTo(3);
    }

    @Test
    void takesTheMeanOfTheMiddleTwoOfAnEvenNumber() {
        assertThat(Row.of(SUBJECT, List.of(new Row.Pair(1, 1), new Row.Pair(2, 1)))
                        .ratio())
                .isEqualTo(1.5);
    }

    @Test
    void keepsDetailsInOrder() {
        Row row = Row.of(SUBJECT, List.of(new Row.Pair(1, 1))).with("b", 1).with("a", 2);

        assertThat(row.details()).containsExactly(java.util.Map.entry("b", 1.0), java.util.Map.entry("a", 2.0));
    }
}
