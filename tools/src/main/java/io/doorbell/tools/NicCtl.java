package io.doorbell.tools;

import io.doorbell.DoorbellException;
import io.doorbell.tools.command.AbsentBenchCommand;
import io.doorbell.tools.command.BindCommand;
import io.doorbell.tools.command.ClockCommand;
import io.doorbell.tools.command.DemoCommand;
import io.doorbell.tools.command.FeaturesCommand;
import io.doorbell.tools.command.FlowsCommand;
import io.doorbell.tools.command.IdentifyCommand;
import io.doorbell.tools.command.InfoCommand;
import io.doorbell.tools.command.LabCommand;
import io.doorbell.tools.command.LinkCommand;
import io.doorbell.tools.command.ListCommand;
import io.doorbell.tools.command.NvmCommand;
import io.doorbell.tools.command.RegsCommand;
import io.doorbell.tools.command.RestoreCommand;
import io.doorbell.tools.command.SelfTestCommand;
import io.doorbell.tools.command.StatsCommand;
import io.doorbell.tools.command.UnbindCommand;
import io.doorbell.tools.host.Context;
import io.doorbell.tools.text.Console;
import io.doorbell.tools.text.StandardOutput;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line of Doorbell. Exit status 0, or 1 with one message on standard error.
 */
@Command(
        name = "nicctl",
        description = "Looks at NICs, takes them from the kernel, gives them back, and drives them from Java.",
        synopsisSubcommandLabel = "COMMAND",
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%n",
        footer = "'nicctl COMMAND --help' tells more. 'nicctl demo' shows it all at work, in a virtual machine.")
public final class NicCtl implements Callable<Integer> {

    private final Context context;

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Shows this help.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it by itself
    private boolean help;

    @Option(
            names = "--verbose",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Shows where in the program a failure happened.")
    private boolean verbose;

    private NicCtl(Context context) {
        this.context = context;
    }

    public static void main(String[] arguments) {
        StandardOutput output = new StandardOutput();
        Console console = Console.of(output);
        int status = run(console, List.of(arguments));
        console.out().flush();
        if (output.failure().isPresent()) {
            console.err()
                    .println("nicctl: cannot write to standard output: "
                            + output.failure().get());
            status = 1;
        }
        System.exit(status);
    }

    /** On this machine, unless that cannot even be looked at, which no command is needed to say. */
    private static int run(Console console, List<String> arguments) {
        Context context;
        try {
            context = Context.ofProcess(console);
        } catch (DoorbellException e) {
            console.err().println("nicctl: " + e.getMessage());
            return 1;
        }
        return run(context, arguments);
    }

    /** Runs one command line to its end and returns the exit status. */
    public static int run(Context context, List<String> arguments) {
        NicCtl nicctl = new NicCtl(context);
        CommandLine line = new CommandLine(nicctl)
                .addSubcommand(new ListCommand(context))
                .addSubcommand(new InfoCommand(context))
                .addSubcommand(new BindCommand(context))
                .addSubcommand(new UnbindCommand(context))
                .addSubcommand(new RestoreCommand(context))
                .addSubcommand(new StatsCommand(context))
                .addSubcommand(new RegsCommand(context))
                .addSubcommand(new NvmCommand(context))
                .addSubcommand(new IdentifyCommand(context))
                .addSubcommand(new SelfTestCommand(context))
                .addSubcommand(new FeaturesCommand(context))
                .addSubcommand(new LinkCommand(context))
                .addSubcommand(new FlowsCommand(context))
                .addSubcommand(new ClockCommand(context))
                .addSubcommand(new DemoCommand(context))
                .addSubcommand(new LabCommand(context));
        for (CommandProvider provider : ServiceLoader.load(CommandProvider.class)) {
            line.addSubcommand(provider.command(context));
        }
        if (!line.getSubcommands().containsKey(AbsentBenchCommand.NAME)) {
            line.addSubcommand(new AbsentBenchCommand());
        }
        // Last, since it reaches only the subcommands that there are.
        return line.setOut(new PrintWriter(context.console().out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(context.console().err(), true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((failure, words) -> nicctl.misused(failure))
                .setExecutionExceptionHandler((failure, command, result) -> nicctl.failed(failure))
                .execute(arguments.toArray(String[]::new));
    }

    /** Without a command there is only help to give. */
    @Override
    public Integer call() {
        command.commandLine().usage(context.console().err());
        return 1;
    }

    private int misused(ParameterException failure) {
        say(firstToLower(String.valueOf(failure.getMessage())) + "; '"
                + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help' shows how to use it");
        return 1;
    }

    private int failed(Exception failure) {
        if (failure instanceof DoorbellException) {
            say(String.valueOf(failure.getMessage()));
        } else {
            say("this should not have happened: " + failure + (verbose ? "" : "; --verbose shows where"));
        }
        if (verbose) {
            failure.printStackTrace(context.console().err());
        }
        return 1;
    }

    private void say(String message) {
        context.console().err().println("nicctl: " + message);
    }

    private static String firstToLower(String message) {
        return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    }
}
