package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.FeatureReport;
import io.doorbell.frame.ability.FeatureState;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl features}: what device and driver have agreed on. */
@Command(
        name = "features",
        header = "Shows what a NIC and Doorbell's driver have agreed on.",
        description = {
            "Opens a NIC, which resets and starts it, and shows each optional ability that its kind of device can have:"
                    + " whether this one offers it, whether the driver wants it, whether it is in use, and if not, why."
        })
public final class FeaturesCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(
            paramLabel = "ADDRESS",
            description = "PCI address of a NIC that is bound to vfio-pci, or another name that a driver knows.")
    private String address = "";

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public FeaturesCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        try (Nic nic = context.open(address)) {
            show(context, nic, json);
        }
        return 0;
    }

    /** @throws DoorbellException when devices of this kind have nothing to agree on */
    static void show(Context context, Nic nic, boolean json) {
        List<FeatureState> features =
                nic.find(FeatureReport.class).map(FeatureReport::features).orElse(List.of());
        if (features.isEmpty()) {
            throw new DoorbellException(nic.name() + " is a NIC of the kind \"" + nic.model()
                    + "\", which has no features to agree on: its registers tell what it does; 'nicctl regs "
                    + nic.name() + "' shows them");
        }
        if (json) {
            context.printJson(features.stream().map(FeaturesCommand::json).toList());
        } else {
            context.console().out().print(table(features));
        }
    }

    private static Table table(List<FeatureState> features) {
        Table table = new Table(
                text("NAME"), number("BIT"), text("OFFERED"), text("WANTED"), text("NEGOTIATED"), text("WHY NOT"));
        for (FeatureState feature : features) {
            table.row(
                    feature.name(),
                    feature.bit(),
                    yes(feature.offered()),
                    yes(feature.wanted()),
                    yes(feature.negotiated()),
                    feature.whyNot());
        }
        return table;
    }

    /** Nothing for "no": what is there stands out. */
    private static String yes(boolean fact) {
        return fact ? "yes" : "";
    }

    private static Object json(FeatureState feature) {
        return Json.object(
                "name", feature.name(),
                "bit", feature.bit(),
                "offered", feature.offered(),
                "wanted", feature.wanted(),
                "negotiated", feature.negotiated(),
                "whyNot", feature.whyNot());
    }
}
