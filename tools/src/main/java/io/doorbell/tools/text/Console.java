package io.doorbell.tools.text;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command writes.
 *
 * @param out for results
 * @param err for progress and for the one message of a failure
 * @param terminal whether a person is watching {@code err}, so that a line may be written over
 */
public record Console(PrintStream out, PrintStream err, boolean terminal) {

    /** The process's own; in UTF-8, as the tick of a finished step needs it. */
    public static Console ofProcess() {
        return of(new StandardOutput());
    }

    /** As that, with an output that the caller looks after. */
    public static Console of(StandardOutput output) {
        return new Console(
                new PrintStream(output, true, StandardCharsets.UTF_8),
                new PrintStream(System.err, true, StandardCharsets.UTF_8),
                isTerminal(Path.of("/proc/self/fd/2")));
    }

    private static boolean isTerminal(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().matches("/dev/(pts/|tty|console).*");
        } catch (IOException e) {
            return false;
        }
    }
}
