package io.doorbell.pci.region;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What is to be released, last acquired first. Each is tried, whatever becomes of the others; the first failure is
 * thrown in the end, with the later ones in it.
 */
public final class Releases {

    private final Deque<Runnable> releases = new ArrayDeque<>();

    /** Adds what is to be released before all that is there. */
    public void add(Runnable release) {
        releases.push(release);
    }

    /** Releases all; there is nothing left to release afterwards. */
    public void all() {
        RuntimeException failure = null;
        while (!releases.isEmpty()) {
            failure = run(releases.pop(), failure);
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Releases all because of a failure, which is to be thrown on. */
    public RuntimeException allAfter(RuntimeException failure) {
        try {
            all();
        } catch (RuntimeException alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
        return failure;
    }

    private static @Nullable RuntimeException run(Runnable release, @Nullable RuntimeException earlier) {
        try {
            release.run();
            return earlier;
        } catch (RuntimeException e) {
            if (earlier == null) {
                return e;
            }
            earlier.addSuppressed(e);
            return earlier;
        }
    }
}
