package io.doorbell.dma.cleanup;

import java.util.ArrayDeque;
import java.util.Deque;

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
        Cleanup cleanup = new Cleanup();
        while (!releases.isEmpty()) {
            cleanup.then(releases.pop());
        }
        cleanup.end();
    }

    /** Releases all because of a failure, which the caller throws on. */
    public void allAfter(Throwable failure) {
        Cleanup.after(failure, this::all);
    }
}
