package io.doorbell.bench.result;

/** One of two that take turns. */
@FunctionalInterface
public interface Candidate {

    /** Does the workload for one window and returns what came of it, in the unit of the row; above 0. */
    double measure();
}
