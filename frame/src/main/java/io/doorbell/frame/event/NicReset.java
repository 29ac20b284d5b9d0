package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A NIC was set up anew, as for one whose device is broken. */
@Name("doorbell.NicReset")
@Label("NIC Reset")
@Description("A NIC was set up anew, as for one whose device is broken")
public final class NicReset extends NicAction {

    private NicReset() {}

    /** Resets a NIC of this name and reports that. */
    public static void report(String name, Runnable resetting) {
        new NicReset().around(name, resetting);
    }
}
