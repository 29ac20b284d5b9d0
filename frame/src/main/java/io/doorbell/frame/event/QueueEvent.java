package io.doorbell.frame.event;

import jdk.jfr.Description;
import jdk.jfr.Label;

/** Something that happened to one queue. */
abstract class QueueEvent extends NicEvent {

    private static final String RECEIVE = " receive queue ";
    private static final String TRANSMIT = " transmit queue ";

    @Label("Queue")
    @Description("Direction and number, such as 'receive queue 0'")
    String queue = "";

    @Label("Reason")
    String reason = "";

    QueueEvent() {}

    /** @param name as drivers call their queues: the NIC's name, and behind it what {@link #queue} is to say */
    final void of(String name) {
        int end = Math.max(name.lastIndexOf(RECEIVE), name.lastIndexOf(TRANSMIT));
        nic = end < 0 ? name : name.substring(0, end);
        queue = end < 0 ? "" : name.substring(end + 1);
    }
}
