package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.RegisterDump;
import io.doorbell.frame.ability.RegisterValue;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl regs}: the registers of a NIC, decoded. */
@Command(
        name = "regs",
        header = "Shows the registers of a NIC, decoded.",
        description = {
            "Opens a NIC that is bound to vfio-pci, which resets and starts it, and shows every register that Doorbell's"
                    + " driver declares. A register that reading would change shows no value."
        })
public final class RegsCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC that is bound to vfio-pci.")
    private String address = "";

    @Option(names = "--filter", paramLabel = "NAME", description = "Only registers with this in their name.")
    private String filter = "";

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public RegsCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        String wanted = filter.toUpperCase(Locale.ROOT);
        List<RegisterValue> all;
        try (Nic nic = context.open(address)) {
            all = nic.ability(RegisterDump.class).registers();
        }
        List<RegisterValue> registers = all.stream()
                .filter(register -> register.name().toUpperCase(Locale.ROOT).contains(wanted))
                .toList();
        if (registers.isEmpty()) {
            throw new DoorbellException("none of the " + all.size() + " registers of " + address + " has '" + filter
                    + "' in its name; 'nicctl regs " + address + "' shows them all");
        }
        if (json) {
            context.printJson(registers.stream().map(RegsCommand::json).toList());
        } else {
            context.console().out().print(table(registers));
        }
        return 0;
    }

    private static Table table(List<RegisterValue> registers) {
        Table table = new Table(text("NAME"), number("OFFSET"), number("VALUE"), text("SECTION"), text("DECODED"));
        for (RegisterValue register : registers) {
            table.row(
                    register.name(),
                    String.format("0x%05x", register.offset()),
                    register.value().isPresent()
                            ? String.format("0x%08x", register.value().getAsInt())
                            : null,
                    register.section(),
                    register.decoded());
        }
        return table;
    }

    private static Object json(RegisterValue register) {
        return Json.object(
                "name", register.name(),
                "offset", register.offset(),
                "value",
                        register.value().isPresent()
                                ? Integer.toUnsignedLong(register.value().getAsInt())
                                : null,
                "section", register.section(),
                "decoded", register.decoded());
    }
}
