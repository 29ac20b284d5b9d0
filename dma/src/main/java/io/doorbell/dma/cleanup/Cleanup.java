package io.doorbell.dma.cleanup;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Steps that are all taken, whatever becomes of one: the first failure is thrown in the end, with the later ones in it. */
public final class Cleanup {

    private @Nullable Throwable failure;

    /** Makes a clean-up in which no step has failed. */
    public Cleanup() {}

    /** Takes a step because of a failure, which the caller throws on; with the step's failure in it, if that fails too. */
    public static void after(Throwable failure, Runnable step) {
        Cleanup cleanup = new Cleanup();
        cleanup.failure = failure;
        cleanup.then(step);
    }

    /**
     * Does something that may fail with what was acquired before: if it does fail, that is let go.
     *
     * @param undo lets it go; if that fails too, its failure is in the first one
     */
    public static <T> T onFailure(Runnable undo, Supplier<T> action) {
        try {
            return action.get();
        } catch (Throwable e) {
            after(e, undo);
            throw e;
        }
    }

    /** Takes a step now. */
    public Cleanup then(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            if (failure == null) {
                failure = e;
            } else if (!failure.equals(e)) {
                failure.addSuppressed(e);
            }
        }
        return this;
    }

    /** Throws the first failure, if there was one. */
    public void end() {
        switch (failure) {
            case null -> {}
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new AssertionError("a step throws nothing checked", failure);
        }
    }
}
