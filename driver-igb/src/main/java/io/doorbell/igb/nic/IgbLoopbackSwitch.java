package io.doorbell.igb.nic;

import io.doorbell.frame.ability.Loopback;
import io.doorbell.frame.ability.LoopbackPoint;
import java.util.function.Consumer;

/** The loopback of an open NIC, which does both of these under its lock. */
record IgbLoopbackSwitch(Consumer<LoopbackPoint> starts, Runnable stops) implements Loopback {

    @Override
    public void start(LoopbackPoint point) {
        starts.accept(point);
    }

    @Override
    public void stop() {
        stops.run();
    }
}
