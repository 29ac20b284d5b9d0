package io.doorbell.bench.scenario;

/** Measurements that share a set-up. */
public interface Scenario {

    /** What to call it on the command line: lower case, such as {@code vhost-user}. */
    String name();

    /** What it compares, in a sentence. */
    String description();

    /**
     * Measures, and hands in its rows as they come.
     *
     * @throws io.doorbell.DoorbellException when this machine lacks something, or a peer does not do what it is
     *     measured for
     */
    void run(Bench bench);
}
