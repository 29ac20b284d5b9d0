package io.doorbell.bench;

import static io.doorbell.tools.text.Table.number;
import static io.doorbell.tools.text.Table.text;

import io.doorbell.DoorbellException;
import io.doorbell.bench.env.Machine;
import io.doorbell.bench.result.Chart;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.scenario.Bench;
import io.doorbell.bench.scenario.Scenario;
import io.doorbell.bench.scenario.Scenarios;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Json;
import io.doorbell.tools.text.OutputFile;
import io.doorbell.tools.text.Progress;
import io.doorbell.tools.text.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nicctl bench}: Doorbell against its peers. */
@Command(
        name = "bench",
        header = "Compares Doorbell's speed with that of others.",
        description = {
            "Measures Doorbell and a peer in turns, pair by pair, and prints the ratio of the two: its median, and the"
                    + " lowest and highest of a pair. Ratios of one run mean something even where the machine is shared;"
                    + " absolute figures mean little.",
            "Needs two cores that are otherwise idle. As root, it borrows hugepages for as long as it runs."
        })
final class BenchCommand implements Callable<Integer> {

    private static final int PAIRS = 5;
    private static final int QUICK_PAIRS = 1;
    private static final int MOST_PAIRS = 1000;
    private static final int LATENCY_SECONDS = 8;
    private static final int MOST_SECONDS = 3600;

    private final Context context;

    @Parameters(
            paramLabel = "SCENARIO",
            description = "What to measure: all, or some of ${COMPLETION-CANDIDATES}.",
            completionCandidates = Names.class,
            arity = "0..*")
    private List<String> names = List.of();

    @Option(names = "--pairs", paramLabel = "N", description = "How often both take turns; " + PAIRS + " by default.")
    private @Nullable Integer pairs;

    @Option(names = "--quick", description = "Only looks if all works: short windows, one pair.")
    private boolean quick;

    @Option(names = "--chart", paramLabel = "FILE", description = "Writes a chart of the ratios too, as SVG.")
    private @Nullable Path chart;

    @Option(
            names = "--plots",
            paramLabel = "FOLDER",
            description = "Writes plots (SVG) and histograms there, of scenarios that have them.")
    private @Nullable Path plots;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long latencies are measured, for each side; " + LATENCY_SECONDS + " by default.")
    private int seconds = LATENCY_SECONDS;

    @Option(names = "--json", description = "Prints an array with an object for each row.")
    private boolean json;

    /** The scenarios' names, for the help and for completion. */
    static final class Names implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return Scenarios.all().stream().map(Scenario::name).iterator();
        }
    }

    BenchCommand(Context context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        int turns = pairs != null ? pairs : quick ? QUICK_PAIRS : PAIRS;
        if (turns < 1 || turns > MOST_PAIRS) {
            throw new DoorbellException("--pairs must be from 1 to " + MOST_PAIRS + ", not " + turns);
        }
        if (seconds < 1 || seconds > MOST_SECONDS) {
            throw new DoorbellException("--seconds must be from 1 to " + MOST_SECONDS + ", not " + seconds);
        }
        List<Scenario> scenarios = Scenarios.named(names);
        if (chart != null) {
            OutputFile.requireWritable(chart, "--chart");
        }
        Progress progress = new Progress(context.console());
        Bench bench = new Bench(turns, quick, Duration.ofSeconds(seconds), progress);
        try {
            scenarios.forEach(scenario -> scenario.run(bench));
        } catch (RuntimeException e) {
            progress.failed();
            throw e;
        }
        if (chart != null) {
            write(chart, Chart.of(bench.rows(), Machine.describe()));
        }
        if (plots != null) {
            write(plots, bench.attachments());
        }
        if (json) {
            context.printJson(bench.rows().stream().map(BenchCommand::toJson).toList());
        } else {
            print(bench.rows());
        }
        return 0;
    }

    private void print(List<Row> rows) {
        Machine.describe().forEach((name, value) -> context.print(String.format("%-9s %s", name, value)));
        context.print("");
        SequencedSet<String> details = new LinkedHashSet<>();
        rows.forEach(row -> details.addAll(row.details().keySet()));
        Table table = new Table(
                text("SCENARIO"),
                text("RING"),
                text("PEER"),
                number("RATIO"),
                number("LOW"),
                number("HIGH"),
                number("DOORBELL"),
                number("PEER"),
                text("UNIT"),
                number("PAIRS"),
                text("ALSO"));
        for (Row row : rows) {
            table.row(
                    row.subject().scenario(),
                    row.subject().ring(),
                    row.subject().peer(),
                    row.ratio(),
                    row.low(),
                    row.high(),
                    row.own(),
                    row.other(),
                    row.subject().unit(),
                    row.pairs(),
                    also(row));
        }
        context.console().out().print(table);
        context.print("");
        Collection<String> workloads = new LinkedHashSet<>();
        rows.forEach(row ->
                workloads.add(row.subject().scenario() + ": " + row.subject().workload()));
        workloads.forEach(context::print);
    }

    private static String also(Row row) {
        StringBuilder text = new StringBuilder();
        row.details()
                .forEach((name, value) ->
                        text.append(text.isEmpty() ? "" : ", ").append(String.format("%s %.4g", name, value)));
        return text.toString();
    }

    private static Object toJson(Row row) {
        SequencedMap<String, @Nullable Object> object = Json.object(
                "scenario", row.subject().scenario(),
                "ring", row.subject().ring(),
                "peer", row.subject().peer(),
                "ratio", row.ratio(),
                "low", row.low(),
                "high", row.high(),
                "unit", row.subject().unit(),
                "moreIsBetter", row.subject().moreIsBetter(),
                "doorbell", row.own(),
                "other", row.other(),
                "pairs", row.pairs(),
                "workload", row.subject().workload());
        object.putAll(row.details());
        return object;
    }

    private static void write(Path folder, SequencedMap<String, String> files) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new DoorbellException("cannot create " + folder + ": " + e.getMessage(), e);
        }
        files.forEach((name, text) -> write(folder.resolve(name), text));
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new DoorbellException("cannot write " + file + ": " + e, e);
        }
    }
}
