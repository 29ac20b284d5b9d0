package io.doorbell.tools.command;

import io.doorbell.frame.LinkState;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.FlowControl;
import io.doorbell.frame.ability.LinkControl;
import io.doorbell.frame.ability.LinkMode;
import io.doorbell.frame.ability.LinkSettings;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Fields;
import io.doorbell.tools.text.Json;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl link}: a NIC's link, and what both ends have said of it. */
@Command(
        name = "link",
        header = "Shows the link of a NIC, and what both of its ends have agreed on.",
        description = {
            "Opens a NIC, which resets and starts it, and waits some seconds for its link. An application sets how it is"
                    + " negotiated (LinkControl, FlowControl); that is over when the NIC is closed."
        })
public final class LinkCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(
            paramLabel = "ADDRESS",
            description = "PCI address of a NIC that is bound to vfio-pci, or another name that a driver knows.")
    private String address = "";

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    public LinkCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        try (Nic nic = context.open(address)) {
            LinkState state = Context.linkOf(nic);
            if (json) {
                context.printJson(json(nic, state));
            } else {
                print(nic, state);
            }
        }
        return 0;
    }

    private void print(Nic nic, LinkState state) {
        Fields fields = new Fields();
        fields.add("link", state);
        nic.find(LinkControl.class).ifPresent(control -> {
            LinkSettings settings = control.settings();
            fields.add(settings.autonegotiates() ? "offered here" : "forced", lines(settings.modes()));
            fields.add("offered by the other end", control.partner().isEmpty() ? "nothing" : lines(control.partner()));
            fields.add("crossover", settings.crossover());
        });
        nic.find(FlowControl.class).ifPresent(flow -> {
            fields.add("flow control asked for", flow.requested());
            fields.add("flow control agreed on", flow.negotiated());
        });
        if (nic.find(LinkControl.class).isEmpty()) {
            fields.add(
                    "negotiation",
                    "nothing of it is known: " + nic.name() + " is a NIC of the kind \"" + nic.model() + '"');
        }
        context.console().out().print(fields);
    }

    private static String lines(Collection<LinkMode> modes) {
        return modes.stream().sorted().map(LinkMode::toString).collect(Collectors.joining("\n"));
    }

    private static Object json(Nic nic, LinkState state) {
        Optional<LinkControl> control = nic.find(LinkControl.class);
        Optional<FlowControl> flow = nic.find(FlowControl.class);
        return Json.object(
                "address", nic.name(),
                "up", state.up(),
                "megabitsPerSecond", state.megabitsPerSecond(),
                "fullDuplex", state.fullDuplex(),
                "autonegotiates",
                        control.map(of -> of.settings().autonegotiates()).orElse(null),
                "offered", control.map(of -> names(of.settings().modes())).orElse(null),
                "partner", control.map(of -> names(of.partner())).orElse(null),
                "crossover", control.map(of -> of.settings().crossover().name()).orElse(null),
                "flowControl", flow.map(of -> of.negotiated().name()).orElse(null));
    }

    private static List<String> names(Collection<LinkMode> modes) {
        return modes.stream().sorted().map(LinkMode::name).toList();
    }
}
