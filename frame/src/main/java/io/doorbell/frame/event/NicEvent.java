package io.doorbell.frame.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;

/** Something that happened to a NIC. */
@Category("Doorbell")
abstract class NicEvent extends Event {

    @Label("NIC")
    @Description("What it was opened as")
    String nic = "";

    NicEvent() {}
}
