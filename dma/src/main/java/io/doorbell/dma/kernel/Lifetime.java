package io.doorbell.dma.kernel;

import org.jspecify.annotations.Nullable;

/**
 * That of a thing which one thread may close while another one uses it: tells whoever comes too late what is closed, and
 * by whom. Thread-safe.
 */
public final class Lifetime {

    private final String name;
    private volatile @Nullable String closer;

    /** @param name of the thing, as it stands at the start of a sentence */
    public Lifetime(String name) {
        this.name = name;
    }

    /** Notes that this thread closes it; the first one counts. */
    public synchronized void end() {
        if (closer == null) {
            closer = Thread.currentThread().getName();
        }
    }

    /** What a caller gets who is too late. */
    public IllegalStateException over() {
        String by = closer;
        return new IllegalStateException(name + " is closed" + (by == null ? "" : "; thread '" + by + "' closed it"));
    }
}
