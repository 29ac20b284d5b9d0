package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A NIC was closed: its device was left quiet and released. */
@Name("doorbell.NicClose")
@Label("NIC Close")
@Description("A NIC was closed: its device was left quiet and released")
public final class NicClose extends NicAction {

    private NicClose() {}

    /** Closes a NIC of this name and reports that. */
    public static void report(String name, Runnable closing) {
        new NicClose().around(name, closing);
    }
}
