package io.doorbell.tools.command;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.PortLed;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl identify}: which of many ports is it? */
@Command(
        name = "identify",
        header = "Has the LEDs of a NIC blink.",
        description = {
            "Opens a NIC that is bound to vfio-pci, which resets and starts it, and has its LEDs blink for some time, so that"
                    + " a person finds it among others. They are as before then."
        })
public final class IdentifyCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC that is bound to vfio-pci.")
    private String address = "";

    @Option(names = "--seconds", paramLabel = "N", description = "How long; ${DEFAULT-VALUE} by default.")
    private int seconds = 10;

    @Option(names = "--json", description = "Prints one object, at the end.")
    private boolean json;

    public IdentifyCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (seconds < 1) {
            throw new DoorbellException("--seconds must be at least 1: it is " + seconds);
        }
        try (Nic nic = context.open(address)) {
            PortLed led = nic.ability(PortLed.class);
            if (!json) {
                context.print(nic.name() + ", " + nic.model() + ", blinks for " + seconds + " s");
            }
            led.blink(Duration.ofSeconds(seconds));
            if (json) {
                context.printJson(Json.object("address", nic.name(), "model", nic.model(), "seconds", seconds));
            }
        }
        return 0;
    }
}
