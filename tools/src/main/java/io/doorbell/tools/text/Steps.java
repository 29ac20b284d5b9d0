package io.doorbell.tools.text;

import java.util.function.Supplier;

/** Is told how a long job gets on, a step after the other. */
public interface Steps {

    /** A step begins, in words such as {@code "waiting for link"}. */
    void begin(String what);

    /** The step that runs is over; {@code result} adds what came of it, or is empty. */
    void done(String result);

    /** Runs a step whose result goes with its line. When it throws, the step stays open: the failure ends the job. */
    default <T> T step(String what, Supplier<T> job) {
        begin(what);
        T result = job.get();
        done(result.toString());
        return result;
    }

    /** Runs a step without a result. */
    default void step(String what, Runnable job) {
        begin(what);
        job.run();
        done("");
    }
}
