package io.doorbell.qemu;

import java.util.ArrayDeque;
import java.util.Deque;

/** Things to close together, the newest first; one that fails to close does not keep the others open. */
public final class Resources implements AutoCloseable {

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    /** Nothing to close so far. */
    public Resources() {}

    /** Has a resource closed, before those that were added earlier. */
    public <T extends AutoCloseable> T add(T resource) {
        opened.push(resource);
        return resource;
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        QemuException failure = null;
        while (!opened.isEmpty()) {
            AutoCloseable resource = opened.pop();
            try {
                resource.close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = new QemuException("cannot close " + resource + ": " + e.getMessage(), e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
