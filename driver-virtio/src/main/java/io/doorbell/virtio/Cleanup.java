package io.doorbell.virtio;

import org.jspecify.annotations.Nullable;

/** Steps that are all taken, whatever becomes of one: the first failure is thrown in the end, with the later ones in it. */
final class Cleanup {

    private @Nullable Throwable failure;

    Cleanup then(Runnable step) {
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

    void end() {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }
}
