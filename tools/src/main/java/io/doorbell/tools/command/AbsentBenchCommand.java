package io.doorbell.tools.command;

import io.doorbell.DoorbellException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** Stands for {@code nicctl bench} where the benchmarks are not on the class path, and says where they are. */
@Command(
        name = AbsentBenchCommand.NAME,
        header = "Compares Doorbell's speed with that of others.",
        description = "Not here: " + AbsentBenchCommand.WHERE + ".")
public final class AbsentBenchCommand implements Callable<Integer> {

    public static final String NAME = "bench";

    static final String WHERE = "the benchmarks come with Doorbell's sources, where './nicctl bench' runs them";

    @Unmatched
    @SuppressWarnings("UnusedVariable") // the options of the one that is absent
    private List<String> words = new ArrayList<>();

    public AbsentBenchCommand() {}

    @Override
    public Integer call() {
        throw new DoorbellException("'nicctl " + NAME + "' is not part of this installation: " + WHERE);
    }
}
