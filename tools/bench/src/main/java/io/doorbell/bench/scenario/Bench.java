package io.doorbell.bench.scenario;

import io.doorbell.bench.env.CoreDistance;
import io.doorbell.bench.result.Candidate;
import io.doorbell.bench.result.EvenPairs;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import io.doorbell.tools.text.Steps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** One run of the benchmarks: how thorough it is, and the rows so far. */
public final class Bench {

    private final int pairs;
    private final boolean quick;
    private final Duration latencyTime;
    private final Steps steps;
    private final List<Row> rows = new ArrayList<>();
    private final SequencedMap<String, String> attachments = new LinkedHashMap<>();

    /**
     * A run without rows yet.
     *
     * @param pairs how often the two sides take turns, at least 1
     * @param quick whether to look if everything works, rather than to measure
     * @param latencyTime how long each side is measured in all where rare events count
     */
    public Bench(int pairs, boolean quick, Duration latencyTime, Steps steps) {
        this.pairs = pairs;
        this.quick = quick;
        this.latencyTime = latencyTime;
        this.steps = steps;
    }

    /** How often the two sides take turns. */
    public int pairs() {
        return pairs;
    }

    /** Whether the figures need not mean much, so that warm-up and the like may be short. */
    public boolean quick() {
        return quick;
    }

    /** How long to measure at a time; short, since a virtual machine's cores are moved about every few seconds. */
    public Duration window() {
        return Duration.ofMillis(quick ? 200 : 500);
    }

    /** How long to measure each side in all, where rare events count. */
    public Duration latencyTime() {
        return latencyTime;
    }

    /** Is told what is being done, a step a row. */
    public Steps steps() {
        return steps;
    }

    /**
     * Lets the two take turns, who is first changing from pair to pair. Reports the row as a step; {@link #add} is left
     * to the caller, who may know more.
     */
    public Row compare(Subject subject, Candidate doorbell, Candidate peer) {
        return compare(subject, pairs, doorbell, peer);
    }

    /** As the other one, with {@code most} pairs at the most, where each takes long. */
    public Row compare(Subject subject, int most, Candidate doorbell, Candidate peer) {
        return compare(subject, new EvenPairs(Math.min(pairs, most), () -> 1), doorbell, peer);
    }

    /** The same for what passes between two cores, whose distance may change: pairs in which it did are measured again. */
    Row compare(Subject subject, CoreDistance distance, Candidate doorbell, Candidate peer) {
        return compare(subject, pairs, distance, doorbell, peer);
    }

    /** As the other one, with {@code most} pairs at the most. */
    Row compare(Subject subject, int most, CoreDistance distance, Candidate doorbell, Candidate peer) {
        EvenPairs even = new EvenPairs(Math.min(pairs, most), distance::nanos);
        Row row = compare(subject, even, doorbell, peer);
        return row.with("core ns", even.distance()).with("uneven pairs", (double) even.uneven());
    }

    private Row compare(Subject subject, EvenPairs even, Candidate doorbell, Candidate peer) {
        steps.begin(subject.scenario() + ", " + subject.ring() + (subject.ring().isEmpty() ? "" : ", ") + "against "
                + subject.peer());
        Row row = Row.of(subject, even.measure(doorbell, peer));
        steps.done(String.format("%.2f (%.2f to %.2f)", row.ratio(), row.low(), row.high()));
        return row;
    }

    /** Hands in a row. */
    public void add(Row row) {
        rows.add(row);
    }

    /** Hands in what is no row, such as a plot; {@code file} is the name of a file to keep it in. */
    public void attach(String file, String text) {
        attachments.put(file, text);
    }

    /** What was attached, by names of files. */
    public SequencedMap<String, String> attachments() {
        return Collections.unmodifiableSequencedMap(attachments);
    }

    /** All rows, in the order in which they came. */
    public List<Row> rows() {
        return Collections.unmodifiableList(rows);
    }
}
