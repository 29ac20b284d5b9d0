package io.doorbell.frame.event;

import java.util.function.Supplier;
import jdk.jfr.Description;
import jdk.jfr.Label;

/** Something that was done to a NIC; its duration is the event's. */
abstract class NicAction extends NicEvent {

    @Label("Failure")
    @Description("The error that it ended with; empty if it succeeded")
    String failure = "";

    NicAction() {}

    /** As {@link #around(String, Supplier)}, for what has no result. */
    final void around(String name, Runnable action) {
        around(name, () -> {
            action.run();
            return name;
        });
    }

    /** Does it, and reports it whatever comes of it. */
    final <T> T around(String name, Supplier<T> action) {
        nic = name;
        begin();
        try {
            return action.get();
        } catch (RuntimeException | Error e) {
            failure = e.toString();
            throw e;
        } finally {
            commit();
        }
    }
}
