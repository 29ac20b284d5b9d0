package io.doorbell.frame.ability;

import io.doorbell.frame.Ability;
import io.doorbell.frame.Frame;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * It has a clock of its own (IEEE 1588), and stamps frames with its time as they pass the wire: what Linux calls a PTP hardware
 * clock. An application that speaks the protocol compares stamps with those of the other end, and steers the clock by it; the
 * driver moves stamps, and does not know the protocol.
 *
 * <p>Times count nanoseconds since an epoch that the application chooses. When the NIC is opened it has the system's time, thus the
 * epoch 1970-01-01 00:00 UTC. It has until the year 2262, and nobody needs to read it in time: the driver knows how often a
 * counter that is too short for that has started anew. While the NIC is stopped or reset the system's clock stands in for it.
 *
 * <p>Each call throws a {@link io.doorbell.frame.BrokenDeviceException} when the device is gone.
 */
public interface PtpClock extends Ability {

    /** What it shows. */
    long time();

    /** Sets it, negative times excepted. */
    void time(long nanoseconds);

    /**
     * Sets it forward, or back if negative. Who reads and sets it instead loses the time between the two.
     *
     * @throws io.doorbell.DoorbellException when it would show a time that is negative, or does not fit
     */
    void step(long nanoseconds);

    /** By how many parts per billion it is faster than its oscillator, or slower if negative; 0 when the NIC was opened. */
    double rate();

    /**
     * Sets that, to the nearest that the device can, until it is set again; a stop or a reset changes nothing about it.
     *
     * @throws io.doorbell.DoorbellException when it is beyond {@link #largestRate}, or not a number
     */
    void rate(double partsPerBillion);

    /** The largest {@link #rate}, of either sign. */
    double largestRate();

    /** Which received frames the device can stamp, {@link StampFilter#NONE} included. */
    Set<StampFilter> stampFilters();

    /** Which it stamps now; {@link StampFilter#NONE} when the NIC was opened. */
    StampFilter stampFilter();

    /**
     * Sets that, until it is set again; a stop or a reset changes nothing about it. A stamp that was not taken is lost. The frames
     * must be received as well: messages over Ethernet are for the group 01:1b:19:00:00:00 or 01:80:c2:00:00:0e ({@link MacFilter}).
     *
     * @throws io.doorbell.DoorbellException when it is not among {@link #stampFilters}, or {@link FlowRules} have taken what it needs
     */
    void stampFilter(StampFilter filter);

    /**
     * Takes the stamp of the first frame that has arrived since the last one was taken, and was to be stamped. The device has room
     * for one: frames that come before it is taken are not stamped, so take it when such a frame is received. It may be there
     * before the frame, and a frame that is dropped, for want of buffers say, may leave one behind.
     */
    Optional<RxStamp> takeRxStamp();

    /**
     * Takes the time at which the first frame left that was sent since the last one was taken and asked for it
     * ({@link Frame#needsTimeStamp}). The device has room for one, so send the next such frame when it was taken. Empty until the
     * frame is on the wire, and for ever when it never gets there: give up after some milliseconds with a link.
     */
    OptionalLong takeTxStamp();
}
