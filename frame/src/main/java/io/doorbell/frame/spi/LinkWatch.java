package io.doorbell.frame.spi;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.event.LinkChange;

/** Remembers what the link of a NIC was, and reports when it is another. Thread-safe. */
public final class LinkWatch {

    private final String nic;
    private LinkState last = LinkState.DOWN;

    /**
     * For a link that is down.
     *
     * @param nic the NIC's name
     */
    public LinkWatch(String nic) {
        this.nic = nic;
    }

    /** Takes note of what the link is now, and returns that. */
    public synchronized LinkState seen(LinkState now) {
        if (!now.equals(last)) {
            last = now;
            LinkChange.report(nic, now);
        }
        return now;
    }
}
