package io.doorbell.tools.command;

import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.Rebinding;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl bind}: from the kernel's driver to vfio-pci. */
@Command(
        name = "bind",
        header = "Takes NICs from the kernel, for Doorbell.",
        description = {
            "Binds NICs to vfio-pci, so that Doorbell can open them. 'nicctl restore' gives them back.",
            "Refuses a NIC that the machine uses, unless --force: one with an address, a route of any table, a VLAN on it, a"
                    + " bridge or a bond that it is part of, or virtual functions. 'nicctl info' shows what it is used"
                    + " for; what cannot be found out counts as a use."
        })
public final class BindCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", arity = "1..*", description = "PCI addresses, such as 0000:01:00.0.")
    private List<String> addresses = List.of();

    @Option(names = "--force", description = "Takes a NIC even if the machine is using it.")
    private boolean force;

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public BindCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Rebinding rebinding = Rebinding.of(context, addresses, json);
        rebinding.each(address -> {
            if (force) {
                rebinding.warnOfUses(address);
            }
            context.binding().bind(address, force);
            rebinding.warnOfNoDriver(address);
        });
        return 0;
    }
}
