package io.doorbell.igb.nic;

import io.doorbell.DoorbellException;
import io.doorbell.frame.ability.PortLed;
import io.doorbell.igb.led.IgbLed;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The LEDs of an open NIC. Its lock is not held while they blink. */
final class IgbPortLed implements PortLed {

    private final String name;
    private final IgbLed led;
    private final Inquiry nic;
    /** What ends the latest call. Under the NIC's lock. */
    private CountDownLatch end = new CountDownLatch(0);

    /** @param nic asks the device under the NIC's lock */
    IgbPortLed(String name, IgbLed led, Inquiry nic) {
        this.name = name;
        this.led = led;
        this.nic = nic;
    }

    @Override
    public void blink(Duration time) {
        CountDownLatch mine = nic.ask(() -> begin(time));
        boolean interrupted = false;
        try {
            mine.await(TimeUnit.NANOSECONDS.convert(time), TimeUnit.NANOSECONDS); // how it ended tells its count
        } catch (InterruptedException e) {
            interrupted = true;
        }
        try {
            nic.ask(() -> over(mine));
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private CountDownLatch begin(Duration time) {
        if (time.isNegative()) {
            throw new DoorbellException(
                    name + " cannot blink for " + time + ": ask for no time to end it, or for more");
        }
        end.countDown();
        end = new CountDownLatch(1);
        led.blink();
        return end;
    }

    /** Unless another call has taken over. */
    private boolean over(CountDownLatch call) {
        boolean own = call.getCount() > 0;
        if (own) {
            call.countDown();
            led.restore();
        }
        return own;
    }

    /** When the NIC is closed, under its lock. */
    void close() {
        led.restore();
        end.countDown();
    }
}
