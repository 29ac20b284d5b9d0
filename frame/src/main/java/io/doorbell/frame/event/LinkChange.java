package io.doorbell.frame.event;

import io.doorbell.frame.LinkState;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * The link of a NIC is another than it was when somebody looked last. Nobody looks by himself at that of a PCI device: an
 * application does, by {@link io.doorbell.frame.Nic#linkState} or {@link io.doorbell.frame.Nic#awaitLink}.
 */
@Name("doorbell.LinkChange")
@Label("Link Change")
@Description("The link of a NIC is another than when it was looked at last")
@StackTrace(false)
public final class LinkChange extends NicEvent {

    @Label("Up")
    boolean up;

    @Label("Speed")
    @Description("In megabits per second; 0 if the link is down or the device does not say")
    int megabitsPerSecond;

    @Label("Full Duplex")
    boolean fullDuplex;

    private LinkChange() {}

    /** Reports what the link of the NIC of this name is now. */
    public static void report(String name, LinkState link) {
        LinkChange event = new LinkChange();
        if (event.shouldCommit()) {
            event.nic = name;
            event.up = link.up();
            event.megabitsPerSecond = link.megabitsPerSecond();
            event.fullDuplex = link.fullDuplex();
            event.commit();
        }
    }
}
