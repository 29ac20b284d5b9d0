package io.doorbell.tools.host;

import io.doorbell.pci.PciAddress;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import io.doorbell.tools.text.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Changes the drivers of some NICs, one after the other, and tells what each had and has. */
public record Rebinding(Context context, List<PciDevice> nics, boolean json) {

    private static final String NO_DRIVER = "no driver";

    /** All addresses are looked at before any NIC is touched. */
    public static Rebinding of(Context context, List<String> addresses, boolean json) {
        return new Rebinding(context, addresses.stream().map(context::nic).toList(), json);
    }

    public void each(Consumer<PciAddress> change) {
        List<Object> changes = new ArrayList<>();
        try {
            for (PciDevice before : nics) {
                change.accept(before.address());
                PciDevice after = context.bus().find(before.address());
                changes.add(Json.object(
                        "address", before.address().toString(),
                        "from", before.driver().orElse(null),
                        "to", after.driver().orElse(null)));
                if (!json) {
                    context.print(describe(before, after));
                }
            }
        } finally {
            // What was done before a failure was done.
            if (json) {
                context.printJson(changes);
            }
        }
    }

    /** Binding is not all that a NIC needs, and to find out later costs a person more. */
    public void warnOfNoDriver(PciAddress address) {
        PciDevice nic = context.bus().find(address);
        if (new NicNames(PciNames.system(), context.providers()).driver(nic).isEmpty()) {
            context.warn("Doorbell has no driver for " + nic.describe() + "; it drives "
                    + context.providers().stream()
                            .map(provider -> provider.driver() + " (" + provider.supports() + ")")
                            .collect(Collectors.joining(", "))
                    + "; 'nicctl restore " + address + "' gives it back");
        }
    }

    /** What --force ends. */
    public void warnOfUses(PciAddress address) {
        List<String> uses = context.bus().uses(address);
        if (!uses.isEmpty()) {
            context.warn("taking " + address + " although it is in use: " + String.join("; ", uses));
        }
    }

    private static String describe(PciDevice before, PciDevice after) {
        String from = before.driver().orElse(NO_DRIVER);
        String to = after.driver().orElse(NO_DRIVER);
        return before.address() + (from.equals(to) ? ": has " + to + " already" : ": from " + from + " to " + to);
    }
}
