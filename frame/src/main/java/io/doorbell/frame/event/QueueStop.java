package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A queue has stopped by itself, since its device did what it must not. */
@Name("doorbell.QueueStop")
@Label("Queue Stop")
@Description("A queue has stopped by itself, since its device did what it must not")
@StackTrace(false)
public final class QueueStop extends QueueEvent {

    private QueueStop() {}

    /**
     * Reports it.
     *
     * @param queue its name
     * @param reason what the device did
     */
    public static void report(String queue, String reason) {
        QueueStop event = new QueueStop();
        if (event.shouldCommit()) {
            event.of(queue);
            event.reason = reason;
            event.commit();
        }
    }
}
