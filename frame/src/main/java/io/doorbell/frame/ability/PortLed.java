package io.doorbell.frame.ability;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Ability;
import java.time.Duration;

/** The LEDs beside a port, by which a person finds it among others. */
public interface PortLed extends Ability {

    /**
     * Has them blink, and returns when that is over and they are as they were before: after this time, when another thread calls
     * this, or when this thread is interrupted, which it still is then. The NIC works meanwhile, or stands still, as before.
     *
     * @param time not negative; none at all ends what another thread has begun
     * @throws DoorbellException when {@code time} is negative
     * @throws io.doorbell.frame.NicClosedException when the NIC is closed, or has been meanwhile: its LEDs are as before then, too
     */
    void blink(Duration time);
}
