package io.doorbell.tools.command;

import io.doorbell.DoorbellException;
import io.doorbell.pci.PciDevice;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.Rebinding;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl restore}: back to the driver that it had. */
@Command(
        name = "restore",
        header = "Gives NICs back to the kernel.",
        description = {"Gives NICs back to the driver that they had before 'nicctl bind' or 'nicctl unbind'."})
public final class RestoreCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", arity = "0..*", description = "PCI addresses, such as 0000:01:00.0.")
    private List<String> addresses = List.of();

    @Option(names = "--all", description = "Gives back every NIC that 'nicctl bind' or 'nicctl unbind' took.")
    private boolean all;

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public RestoreCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (all != addresses.isEmpty()) {
            throw new DoorbellException("'nicctl restore' takes the addresses of NICs, or --all"
                    + (all ? ", not both" : "; 'nicctl list' shows the addresses"));
        }
        List<String> chosen = all ? taken() : addresses;
        if (chosen.isEmpty() && !json) {
            context.print("There is nothing to restore: no NIC was taken by 'nicctl bind' or 'nicctl unbind'.");
            return 0;
        }
        Rebinding.of(context, chosen, json).each(address -> context.binding().restore(address));
        return 0;
    }

    private List<String> taken() {
        return context.binding().taken().stream()
                .filter(PciDevice::isNic)
                .map(nic -> nic.address().toString())
                .toList();
    }
}
