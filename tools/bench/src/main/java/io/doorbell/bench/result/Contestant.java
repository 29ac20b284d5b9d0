package io.doorbell.bench.result;

/** One of two that take turns. */
@FunctionalInterface
public interface Contestant {

    /** Does the work for one window and returns what came of it, in the unit of the row; above 0. */
    double measure();
}
