package io.doorbell.tools.command;

import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.Rebinding;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl unbind}: from its driver to none. */
@Command(
        name = "unbind",
        header = "Takes NICs from their driver.",
        description = {
            "Leaves NICs without a driver. 'nicctl restore' gives them back.",
            "Refuses a NIC that the machine uses, unless --force; 'nicctl info' shows what it is used for."
        })
public final class UnbindCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", arity = "1..*", description = "PCI addresses, such as 0000:01:00.0.")
    private List<String> addresses = List.of();

    @Option(names = "--force", description = "Takes a NIC even if the machine is using it.")
    private boolean force;

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public UnbindCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Rebinding rebinding = Rebinding.of(context, addresses, json);
        rebinding.each(address -> {
            if (force) {
                rebinding.warnOfUses(address);
            }
            context.binding().unbind(address, force);
        });
        return 0;
    }
}
