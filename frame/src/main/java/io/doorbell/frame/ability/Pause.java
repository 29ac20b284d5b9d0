package io.doorbell.frame.ability;

/** Who may tell the other end to wait before it sends more (IEEE 802.3, annex 31B). */
public enum Pause {
    NEITHER(false, false),
    /** The NIC waits when it is told to. */
    RECEIVE(true, false),
    /** The NIC tells the other end to wait when its buffer fills up. */
    SEND(false, true),
    BOTH(true, true);

    private final boolean receives;
    private final boolean sends;

    Pause(boolean receives, boolean sends) {
        this.receives = receives;
        this.sends = sends;
    }

    /** Whether the NIC waits when it is told to. */
    public boolean receives() {
        return receives;
    }

    /** Whether the NIC tells the other end to wait. */
    public boolean sends() {
        return sends;
    }
}
