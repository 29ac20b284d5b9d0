package io.doorbell.bench.result;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.PrimitiveIterator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class EvenPairsTest {

    private final List<String> turns = new ArrayList<>();

    private double own() {
        turns.add("own");
        return turns.size();
    }

    private double other() {
        turns.add("other");
        return turns.size();
    }

    /** Pairs that see these distances, one after the other. */
    private static EvenPairs pairs(int wanted, double... distances) {
        PrimitiveIterator.OfDouble next = DoubleStream.of(distances).iterator();
        return new EvenPairs(wanted, next::nextDouble);
    }

    @Test
    void letsBothTakeTurnsAtBeingFirst() {
        List<Row.Pair> measured = new EvenPairs(3, () -> 100).measure(this::own, this::other);

        assertThat(turns).containsExactly("own", "other", "other", "own", "own", "other");
        assertThat(measured).containsExactly(new Row.Pair(1, 2), new Row.Pair(4, 3), new Row.Pair(5, 6));
    }

    @Test
    void measuresAPairAgainThatTheDistanceChangedIn() {
        EvenPairs pairs = pairs(2, 100, 110, 90, 100, 100, 490, 490, 480, 490);

        List<Row.Pair> measured = pairs.measure(this::own, this::other);

        assertThat(measured).containsExactly(new Row.Pair(1, 2), new Row.Pair(6, 5));
        assertThat(pairs.uneven()).isZero();
        assertThat(pairs.distance()).isEqualTo(490);
    }

    @Test
    void keepsUnevenPairsWhenItHasTriedTwiceAsOften() {
        EvenPairs pairs = pairs(2, 40, 100, 40, 40, 100, 40, 100, 100, 40, 40, 100, 100);

        List<Row.Pair> measured = pairs.measure(this::own, this::other);

        assertThat(measured).hasSize(2);
        assertThat(turns).hasSize(8);
        assertThat(pairs.uneven()).isEqualTo(2);
    }
}
