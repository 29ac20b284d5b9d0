package io.doorbell.tools.command;

import io.doorbell.frame.Nic;
import io.doorbell.frame.ability.PtpClock;
import io.doorbell.frame.ability.StampFilter;
import io.doorbell.frame.spi.BoundedWait;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Fields;
import io.doorbell.tools.text.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl clock}: a NIC's own clock, beside the system's. */
@Command(
        name = "clock",
        header = "Shows the PTP clock of a NIC, and how it goes beside the system's.",
        description = {
            "Opens a NIC, which resets and starts it and its clock, and compares that with the system's clock for a second."
                    + " What frames it can stamp is as 'ethtool -T' names it. An application steers the clock (PtpClock);"
                    + " that is over when the NIC is closed."
        })
public final class ClockCommand implements Callable<Integer> {

    private static final Duration COMPARED = Duration.ofSeconds(1);
    private static final long BILLION = 1_000_000_000;

    private final Context context;

    @Parameters(
            paramLabel = "ADDRESS",
            description = "PCI address of a NIC that is bound to vfio-pci, or another name that a driver knows.")
    private String address = "";

    @Option(names = "--set-from-system", description = "Sets the clock to the system's time before it is shown.")
    private boolean set;

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    public ClockCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        try (Nic nic = context.open(address)) {
            show(context, nic.name(), nic.ability(PtpClock.class), COMPARED, set, json);
        }
        return 0;
    }

    /**
     * Compares a NIC's clock with the system's, and shows the two.
     *
     * @param compared how long to look at them
     * @param set whether to set the NIC's first
     */
    static void show(Context context, String nic, PtpClock clock, Duration compared, boolean set, boolean json) {
        if (set) {
            clock.time(systemTime());
            // By as much as the setting itself took.
            clock.step(-ClockComparison.of(clock, ClockCommand::systemTime).ahead());
        }
        // The drift is taken from a clock that nobody sets meanwhile.
        ClockComparison first = ClockComparison.of(clock, System::nanoTime);
        BoundedWait.until(() -> false, compared);
        ClockComparison last = ClockComparison.of(clock, System::nanoTime);
        ClockComparison now = ClockComparison.of(clock, ClockCommand::systemTime);
        if (json) {
            context.printJson(json(nic, clock, first, last, now));
        } else {
            context.console().out().print(fields(clock, first, last, now));
        }
    }

    private static long systemTime() {
        Instant now = Instant.now();
        return now.getEpochSecond() * BILLION + now.getNano();
    }

    private static Fields fields(PtpClock clock, ClockComparison first, ClockComparison last, ClockComparison now) {
        Fields fields = new Fields();
        fields.add(
                "clock", now.clock() + " ns, " + Instant.ofEpochSecond(now.clock() / BILLION, now.clock() % BILLION));
        fields.add(
                "beside the system's",
                Math.abs(now.ahead()) + " ns " + (now.ahead() < 0 ? "behind" : "ahead") + ", to within "
                        + now.width() / 2 + " ns");
        fields.add(
                "drift",
                number("%+.0f", last.driftSince(first)) + " ppb against the system's, to within "
                        + number("%.0f", last.driftErrorSince(first)) + " ppb");
        fields.add(
                "rate",
                number("%+.3f", clock.rate()) + " ppb, of -" + number("%.0f", clock.largestRate()) + " to +"
                        + number("%.0f", clock.largestRate()));
        fields.add("stamps received frames", lines(clock));
        fields.add("stamps sent frames", "one at a time, where it is asked for");
        return fields;
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private static String lines(PtpClock clock) {
        return names(clock).stream().collect(Collectors.joining("\n"));
    }

    private static List<String> names(PtpClock clock) {
        return clock.stampFilters().stream().sorted().map(StampFilter::name).toList();
    }

    private static Object json(
            String nic, PtpClock clock, ClockComparison first, ClockComparison last, ClockComparison now) {
        return Json.object(
                "address", nic,
                "nanoseconds", now.clock(),
                "aheadOfSystemNanoseconds", now.ahead(),
                "aheadErrorNanoseconds", now.width() / 2,
                "driftPartsPerBillion", last.driftSince(first),
                "driftErrorPartsPerBillion", last.driftErrorSince(first),
                "ratePartsPerBillion", clock.rate(),
                "largestRatePartsPerBillion", clock.largestRate(),
                "stampFilters", names(clock));
    }
}
