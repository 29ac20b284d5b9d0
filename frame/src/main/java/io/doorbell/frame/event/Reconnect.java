package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The other end of a vhost-user socket was gone and is back; how long it was gone is the event's duration. */
@Name("doorbell.Reconnect")
@Label("Reconnect")
@Description("The other end of a vhost-user socket was gone and is back; the duration is how long it was gone")
@StackTrace(false)
public final class Reconnect extends NicEvent {

    @Label("Reconnects")
    @Description("How often it has come back, this time included")
    long reconnects;

    private Reconnect() {}

    /** It is gone as of now. */
    public static Reconnect begun() {
        Reconnect event = new Reconnect();
        event.begin();
        return event;
    }

    /** Reports that it is back. */
    public void report(String name, long count) {
        nic = name;
        reconnects = count;
        commit();
    }
}
