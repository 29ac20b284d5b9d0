package io.doorbell.bench.result;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * One line of the result.
 *
 * @param ratio of Doorbell's figure to the peer's: the median over all pairs
 * @param low the smallest ratio of a pair
 * @param high the largest
 * @param own Doorbell's median, in the subject's unit
 * @param other the peer's
 * @param pairs how many there were
 * @param details what else was seen, such as bytes allocated a frame, by name
 */
public record Row(
        Subject subject,
        double ratio,
        double low,
        double high,
        double own,
        double other,
        int pairs,
        SequencedMap<String, Double> details) {

    public Row {
        details = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(details));
    }

    /**
     * What one pair of windows, one right after the other, gave.
     *
     * @param own Doorbell's figure
     * @param other the peer's
     */
    public record Pair(double own, double other) {

        public double ratio() {
            return own / other;
        }
    }

    /** Sums up; there is at least one pair. */
    public static Row of(Subject subject, List<Pair> pairs) {
        double[] ratios = pairs.stream().mapToDouble(Pair::ratio).sorted().toArray();
        return new Row(
                subject,
                median(ratios),
                ratios[0],
                ratios[ratios.length - 1],
                median(pairs.stream().mapToDouble(Pair::own).toArray()),
                median(pairs.stream().mapToDouble(Pair::other).toArray()),
                ratios.length,
                new LinkedHashMap<>());
    }

    /** The same row with a detail more. */
    public Row with(String detail, double value) {
        SequencedMap<String, Double> more = new LinkedHashMap<>(details);
        more.put(detail, value);
        return new Row(subject, ratio, low, high, own, other, pairs, more);
    }

    public static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
