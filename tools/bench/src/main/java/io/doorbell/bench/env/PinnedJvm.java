package io.doorbell.bench.env;

import io.doorbell.DoorbellException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Another JVM with this one's class path, all of whose threads stay on one core. It takes a line and answers with one,
 * and ends when its input does; so it does not outlive this one.
 */
public final class PinnedJvm implements AutoCloseable {

    /** A JVM may have a cache to write at its end. */
    private static final int END_SECONDS = 60;

    private final String name;
    private final Process process;
    private final BufferedWriter input;
    private final BufferedReader output;

    public PinnedJvm(int core, Class<?> main, List<String> options) {
        this(core, main, options, System.getProperty("java.class.path"), Redirect.INHERIT);
    }

    public PinnedJvm(int core, Class<?> main, List<String> options, String classPath, Redirect errors) {
        this(core, main.getName(), List.of(), options, classPath, errors);
    }

    public PinnedJvm(int core, Class<?> main, String argument) {
        this(
                core,
                main.getName(),
                List.of(argument),
                List.of(),
                System.getProperty("java.class.path"),
                Redirect.INHERIT);
    }

    private PinnedJvm(
            int core, String main, List<String> arguments, List<String> options, String classPath, Redirect errors) {
        name = main.substring(main.lastIndexOf('.') + 1);
        List<String> command = new ArrayList<>(List.of("taskset", "-c", String.valueOf(core)));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(arguments);
        try {
            process = new ProcessBuilder(command).redirectError(errors).start();
        } catch (IOException e) {
            throw new DoorbellException(
                    "cannot start " + String.join(" ", command) + ": " + e.getMessage()
                            + "; taskset is in the package util-linux",
                    e);
        }
        input = process.outputWriter(StandardCharsets.UTF_8);
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Says a line, waits for the answer. */
    public String ask(String line) {
        say(line);
        return answer();
    }

    /** Says a line; the {@link #answer} may come later. */
    public void say(String line) {
        try {
            input.write(line + "\n");
            input.flush();
        } catch (IOException e) {
            throw new DoorbellException(name + " cannot be told to '" + line + "': " + e.getMessage(), e);
        }
    }

    /** Waits for the next line. */
    public String answer() {
        try {
            String answer = output.readLine();
            if (answer == null) {
                throw new DoorbellException(name + " ended before it answered; see its message above");
            }
            return answer;
        } catch (IOException e) {
            throw new DoorbellException("the answer of " + name + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            input.close();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
