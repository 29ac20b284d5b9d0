package io.doorbell.bench.result;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * Pairs of windows whose ratio means something: the cores are as far from each other in one window as in the other. The
 * distance is taken before, between and after them; a pair that it changed in is measured again, up to so often.
 */
public final class EvenPairs {

    /** Farther apart by more than this is another distance: those that occur differ by a factor of 2 or more. */
    private static final double TOLERANCE = 1.5;

    private final int wanted;
    private final DoubleSupplier distance;
    private final List<Row.Pair> pairs = new ArrayList<>();
    private final List<Double> distances = new ArrayList<>();
    private int tries;
    private int uneven;

    /**
     * Takes the distance when it is needed.
     *
     * @param wanted how many; there are twice as many tries at most
     * @param distance of the cores, in nanoseconds, now
     */
    public EvenPairs(int wanted, DoubleSupplier distance) {
        this.wanted = wanted;
        this.distance = distance;
    }

    /** Lets the two take turns, who is first changing from pair to pair. */
    public List<Row.Pair> measure(Candidate doorbell, Candidate peer) {
        while (pairs.size() < wanted) {
            boolean ownFirst = pairs.size() % 2 == 0;
            double[] seen = new double[3];
            seen[0] = distance.getAsDouble();
            double first = (ownFirst ? doorbell : peer).measure();
            seen[1] = distance.getAsDouble();
            double second = (ownFirst ? peer : doorbell).measure();
            seen[2] = distance.getAsDouble();
            Row.Pair pair = ownFirst ? new Row.Pair(first, second) : new Row.Pair(second, first);
            tries++;
            Arrays.sort(seen);
            boolean even = seen[2] <= seen[0] * TOLERANCE;
            if (even || tries - pairs.size() > wanted) {
                pairs.add(pair);
                distances.add(seen[1]);
                uneven += even ? 0 : 1;
            }
        }
        return pairs;
    }

    /** How many of the pairs are not even, since tries ran out. */
    public int uneven() {
        return uneven;
    }

    /** How far the cores were from each other, in nanoseconds: the median over the pairs. */
    public double distance() {
        return distances.stream().sorted().toList().get(distances.size() / 2);
    }
}
