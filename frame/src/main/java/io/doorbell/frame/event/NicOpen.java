package io.doorbell.frame.event;

import io.doorbell.frame.Nic;
import java.util.function.Supplier;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** A NIC was opened: its device was taken and set up. */
@Name("doorbell.NicOpen")
@Label("NIC Open")
@Description("A NIC was opened: its device was taken and set up")
public final class NicOpen extends NicAction {

    @Label("Model")
    String model = "";

    @Label("Queues")
    @Description("How many receive queues, and as many transmit queues")
    int queues;

    private NicOpen() {}

    /**
     * Opens a NIC and reports that.
     *
     * @param name what it is opened as
     */
    public static <N extends Nic> N report(String name, Supplier<N> opening) {
        NicOpen event = new NicOpen();
        return event.around(name, () -> {
            N opened = opening.get();
            event.model = opened.model();
            event.queues = opened.queues();
            return opened;
        });
    }
}
