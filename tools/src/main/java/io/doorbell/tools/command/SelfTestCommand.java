package io.doorbell.tools.command;

import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.SelfTest;
import io.doorbell.frame.ability.SelfTestResult;
import io.doorbell.frame.ability.SelfTestResult.Outcome;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.Table;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl selftest}: is the device sound? */
@Command(
        name = "selftest",
        header = "Tests whether a NIC is sound.",
        description = {
            "Opens a NIC that is bound to vfio-pci, which resets and starts it, and tests its link and the checksums of its NVM;"
                    + " with --offline also whether its registers hold what is written to them, whether each cause of an"
                    + " interrupt arrives, and whether frames come back unchanged from its PHY.",
            "The exit status is 1 if one of the tests fails."
        })
public final class SelfTestCommand implements Callable<Integer> {

    private final Context context;

    @Parameters(paramLabel = "ADDRESS", description = "PCI address of a NIC that is bound to vfio-pci.")
    private String address = "";

    @Option(names = "--offline", description = "Does the tests too that take the NIC out of service.")
    private boolean offline;

    @Option(names = "--json", description = "Prints a list of objects.")
    private boolean json;

    public SelfTestCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        List<SelfTestResult> results;
        try (Nic nic = context.open(address)) {
            SelfTest test = nic.ability(SelfTest.class);
            results = offline ? test.offline() : test.online();
        }
        if (json) {
            context.printJson(results.stream().map(SelfTestCommand::json).toList());
        } else {
            Table table = new Table(text("TEST"), text("RESULT"), text("DETAIL"));
            results.forEach(result -> table.row(result.test(), word(result), result.detail()));
            context.console().out().print(table);
        }
        String failed = results.stream()
                .filter(result -> result.outcome() == Outcome.FAILED)
                .map(SelfTestResult::test)
                .collect(Collectors.joining(", "));
        if (!failed.isEmpty()) {
            throw new DoorbellException(address + " failed: " + failed);
        }
        return 0;
    }

    private static String word(SelfTestResult result) {
        return result.outcome().name().toLowerCase(Locale.ROOT);
    }

    private static Object json(SelfTestResult result) {
        return Json.object("test", result.test(), "result", word(result), "detail", result.detail());
    }
}
