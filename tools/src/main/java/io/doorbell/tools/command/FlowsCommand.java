package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.FlowRules;
import io.doorbell.frame.flow.FlowCapacity;
import io.doorbell.frame.flow.FlowField;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl flows}: by what rules a NIC can put frames into queues. */
@Command(
        name = "flows",
        header = "Shows by what rules a NIC can put frames into queues.",
        description = {
            "Opens a NIC, which resets and starts it, and shows the kinds of rules that it knows, in the order in which it"
                    + " tries them: how many of each, the queues and priorities that they may name, and what they compare."
                    + " The rules themselves are those of the application that has the NIC, and end with it."
        })
public final class FlowsCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(
            paramLabel = "ADDRESS",
            description = "PCI address of a NIC that is bound to vfio-pci, or another name that a driver knows.")
    private String address = "";

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public FlowsCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        try (Nic nic = context.open(address)) {
            show(context, nic, json);
        }
        return 0;
    }

    /** @throws DoorbellException when the NIC knows no rules */
    static void show(Context context, Nic nic, boolean json) {
        List<FlowCapacity> kinds = nic.ability(FlowRules.class).capacity();
        if (json) {
            context.printJson(kinds.stream().map(FlowsCommand::json).toList());
        } else {
            context.console().out().print(table(kinds));
        }
    }

    private static Table table(List<FlowCapacity> kinds) {
        Table table = new Table(text("KIND"), number("RULES"), text("QUEUES"), text("PRIORITIES"), text("COMPARES"));
        for (FlowCapacity kind : kinds) {
            table.row(
                    kind.kind(),
                    kind.rules(),
                    range(kind.queues() - 1),
                    range(kind.highestPriority()),
                    switch (kind.kind()) {
                        case ETHER_TYPE -> "EtherType";
                        case BYTES -> "any of the first " + kind.reach() + " bytes";
                        case TUPLE ->
                            fields(kind).stream().map(FlowField::toString).collect(Collectors.joining(", "));
                        case SYN -> "SYN flag of TCP";
                    });
        }
        return table;
    }

    private static String range(int last) {
        return last == 0 ? "0" : "0-" + last;
    }

    private static List<FlowField> fields(FlowCapacity kind) {
        return kind.fields().stream().sorted().toList();
    }

    private static Object json(FlowCapacity kind) {
        return Json.object(
                "kind", kind.kind().toString(),
                "rules", kind.rules(),
                "queues", kind.queues(),
                "highestPriority", kind.highestPriority(),
                "fields", fields(kind).stream().map(FlowField::toString).toList(),
                "reach", kind.reach());
    }
}
