package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.pci.NetInterface;
import io.doorbell.pci.PciDevice;
import io.doorbell.pci.PciNames;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.host.NicNames;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code nicctl list}: every NIC of the machine, a line each. */
@Command(
        name = "list",
        header = "Shows the NICs of this machine.",
        description = {"Shows every PCI NIC of this machine, and which of them Doorbell can drive."})
public final class ListCommand implements Callable<Integer> {

    private final Context context;

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public ListCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        List<PciDevice> nics =
                context.bus().devices().stream().filter(PciDevice::isNic).toList();
        NicNames names = new NicNames(PciNames.system(), context.providers());
        if (json) {
            context.printJson(nics.stream().map(nic -> json(nic, names)).toList());
        } else if (nics.isEmpty()) {
            context.print(
                    "This machine has no PCI NIC. 'nicctl lab' opens a shell in a virtual machine that has some.");
        } else {
            context.console().out().print(table(nics, names));
        }
        return 0;
    }

    private Table table(List<PciDevice> nics, NicNames names) {
        Table table = new Table(
                text("ADDRESS"),
                text("ID"),
                text("NAME"),
                text("DRIVER"),
                text("INTERFACE"),
                text("LINK"),
                number("GROUP"),
                number("NODE"),
                text("DOORBELL"));
        for (PciDevice nic : nics) {
            table.row(
                    nic.address(),
                    nic.id(),
                    names.of(nic),
                    nic.driver().orElse(null),
                    interfaces(nic),
                    nic.interfaces().stream().map(ListCommand::link).collect(Collectors.joining(", ")),
                    nic.iommuGroup().orElse(null),
                    nic.numaNode().orElse(null),
                    names.driverInWords(nic).orElse(null));
        }
        return table;
    }

    private static Object json(PciDevice nic, NicNames names) {
        Optional<NetInterface> net = nic.interfaces().stream().findFirst();
        return Json.object(
                "address", nic.address().toString(),
                "id", nic.id().toString(),
                "name", names.of(nic),
                "driver", nic.driver().orElse(null),
                "interface", net.map(NetInterface::name).orElse(null),
                "link", net.flatMap(NetInterface::carrier).orElse(null),
                "megabitsPerSecond", net.flatMap(NetInterface::speed).orElse(null),
                "iommuGroup", nic.iommuGroup().orElse(null),
                "numaNode", nic.numaNode().orElse(null),
                "doorbell", names.driver(nic).orElse(null));
    }

    private static String interfaces(PciDevice nic) {
        return nic.interfaces().stream().map(NetInterface::name).collect(Collectors.joining(", "));
    }

    /** What the kernel says of the wire; it does not look at one of an interface that is down. */
    static String link(NetInterface net) {
        if (!net.up()) {
            return "not set up";
        }
        String speed = net.speed().map(megabits -> " " + megabits + " Mb/s").orElse("");
        return net.carrier().map(up -> up ? "up" + speed : "down").orElse("unknown");
    }
}
