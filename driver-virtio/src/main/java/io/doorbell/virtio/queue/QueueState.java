package io.doorbell.virtio.queue;

import io.doorbell.frame.BrokenDeviceException;
import io.doorbell.frame.event.QueueStop;
import org.jspecify.annotations.Nullable;

/** Whether a queue runs, and why not if it does not. For the thread that is behind the queue's gate. */
final class QueueState {

    private final String name;
    /** Read once a poll. */
    boolean running;
    /** What the device did that it must not; null as long as it did not. */
    private @Nullable String broken;

    /** @param name the queue's, for messages */
    QueueState(String name) {
        this.name = name;
    }

    void start() {
        running = true;
        broken = null;
    }

    void stop() {
        running = false;
        broken = null;
    }

    /** Stops the queue for what the device did. */
    BrokenDeviceException broken(String what) {
        running = false;
        broken = what;
        QueueStop.report(name, what);
        return new BrokenDeviceException(name + ": " + what + "; the queue has stopped");
    }

    /** What a poll says while the queue does not run. */
    IllegalStateException notRunning() {
        return new IllegalStateException(
                broken == null
                        ? name + " is stopped"
                        : name + " has stopped, since its device broke it (" + broken + "): use Nic.reset");
    }
}
