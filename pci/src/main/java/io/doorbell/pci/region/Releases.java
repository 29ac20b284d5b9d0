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
        Throwable failure = null;
        while (!releases.isEmpty()) {
            failure = run(releases.pop(), failure);
        }
        switch (failure) {
            case null -> {}
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new AssertionError("a release throws nothing checked", failure);
        }
    }

    /** Releases all because of a failure, which the caller throws on. */
    public void allAfter(Throwable failure) {
        while (!releases.isEmpty()) {
            run(releases.pop(), failure);
        }
    }

    private static @Nullable Throwable run(Runnable release, @Nullable Throwable earlier) {
        try {
            release.run();
            return earlier;
        } catch (Throwable e) {
            if (earlier == null) {
                return e;
            }
            if (!earlier.equals(e)) {
                earlier.addSuppressed(e);
            }
            return earlier;
        }
    }
}
