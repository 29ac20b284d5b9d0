package io.doorbell.frame.spi;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.event.QueueStop;
import org.jspecify.annotations.Nullable;

/** Whether a queue runs, and why not if it does not. For the thread that is behind the queue's gate. */
public final class QueueState {

    private final String name;
    private final String stopped;
    private boolean running;
    /** What the device did that it must not; null as long as it did not. */
    private @Nullable String broken;

    /**
     * That of a queue which has not been started.
     *
     * @param name the queue's, for messages
     */
    public QueueState(String name) {
        this(name, "");
    }

    /**
     * As the other one.
     *
     * @param wayOut what a poll is told besides while the queue is stopped, such as what starts it
     */
    public QueueState(String name, String wayOut) {
        this.name = name;
        this.stopped = name + " is stopped" + (wayOut.isEmpty() ? "" : ": " + wayOut);
    }

    /** The queue runs from here on. */
    public void start() {
        running = true;
        broken = null;
    }

    /** The queue does not run, and its device is not to blame. */
    public void stop() {
        running = false;
        broken = null;
    }

    /** Whether the queue runs. Each poll asks once. */
    public boolean isRunning() {
        return running;
    }

    /**
     * Stops the queue for what the device did, and reports that.
     *
     * @return what the poll is to throw
     */
    public BrokenDeviceException broken(String what) {
        running = false;
        broken = what;
        QueueStop.report(name, what);
        return new BrokenDeviceException(name + ": " + what + "; the queue has stopped");
    }

    /** What a poll throws while the queue does not run. */
    public IllegalStateException notRunning() {
        return new IllegalStateException(
                broken == null
                        ? stopped
                        : name + " has stopped, since its device broke it (" + broken + "): use Nic.reset");
    }
}
