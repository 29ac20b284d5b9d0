package io.doorbell.tools.bench;

import io.doorbell.dma.DoorbellException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Another JVM with this one's class path, all of whose threads stay on one core. It takes a line and answers with one,
 * and ends when its input does; so it does not outlive this one.
 */
final class PinnedJvm implements AutoCloseable {

    private final String name;
    private final Process process;
    private final BufferedWriter input;
    private final BufferedReader output;

    PinnedJvm(int core, Class<?> main, List<String> options) {
        name = main.getSimpleName();
        List<String> command = new ArrayList<>(List.of("taskset", "-c", String.valueOf(core)));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        try {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
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
    String ask(String line) {
        try {
            input.write(line + "\n");
            input.flush();
            String answer = output.readLine();
            if (answer == null) {
                throw new DoorbellException(name + " ended when it was asked to '" + line + "'; see its message above");
            }
            return answer;
        } catch (IOException e) {
            throw new DoorbellException(name + " cannot be asked to '" + line + "': " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            input.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
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
