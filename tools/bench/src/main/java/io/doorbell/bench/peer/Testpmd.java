package io.doorbell.bench.peer;

import io.doorbell.DoorbellException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DPDK's test program with one port, on one core, told what to do at its prompt. It does not outlive the JVM. */
public final class Testpmd implements AutoCloseable {

    private static final String PROMPT = "testpmd> ";
    /** It starts in seconds; in an emulated machine, it may take a minute. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(180);

    private final String what;
    private final Process process;
    private final BufferedWriter input;
    private final StringBuilder printed = new StringBuilder();
    private boolean ended;

    /**
     * Starts it and waits for its prompt.
     *
     * @param core where both of its threads run: the one that polls, and the one at the prompt
     * @param port the port's device, as DPDK's {@code --vdev} has it
     * @param engine what it does with frames, such as {@code macswap}
     * @param dpdk more options of DPDK's
     * @param own more options of its own
     */
    public static Testpmd start(
            int core, String port, String engine, boolean hugePages, List<String> dpdk, List<String> own) {
        List<String> command = new ArrayList<>(
                List.of("--lcores", "0@" + core + ",1@" + core, "--no-pci", "--no-telemetry", "-m", "256"));
        command.addAll(hugePages ? List.of("--in-memory", "--single-file-segments") : List.of("--no-huge"));
        command.addAll(List.of("--log-level=pmd.net.virtio.init:debug", "--vdev", port));
        command.addAll(dpdk);
        command.addAll(List.of("--", "--interactive", "--forward-mode=" + engine, "--no-lsc-interrupt"));
        command.addAll(own);
        return start(command);
    }

    /** Starts it with any options, {@code --interactive} among them, and waits for its prompt. */
    public static Testpmd start(List<String> options) {
        // Into a pipe, it would else print a page at a time.
        List<String> command = new ArrayList<>(List.of("stdbuf", "--output=L", "dpdk-testpmd"));
        command.addAll(options);
        return new Testpmd(command);
    }

    private Testpmd(List<String> command) {
        what = String.join(" ", command);
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new DoorbellException("cannot start " + what + ": " + e.getMessage(), e);
        }
        // When this JVM ends, however it does, the pipe ends, and testpmd with it.
        input = process.outputWriter(StandardCharsets.UTF_8);
        Thread.ofPlatform().daemon().name("testpmd").start(this::listen);
        awaitPrompt(0);
    }

    private void listen() {
        byte[] some = new byte[8192];
        try {
            int count;
            while ((count = process.getInputStream().read(some)) >= 0) {
                synchronized (printed) {
                    printed.append(new String(some, 0, count, StandardCharsets.UTF_8));
                    printed.notifyAll();
                }
            }
        } catch (IOException e) {
            // It is being closed.
        }
        synchronized (printed) {
            ended = true;
            printed.notifyAll();
        }
    }

    /** Gives a command and returns what it prints. */
    public String command(String words) {
        int start;
        synchronized (printed) {
            start = printed.length();
        }
        try {
            input.write(words + "\n");
            input.flush();
        } catch (IOException e) {
            throw failed("does not take '" + words + "'");
        }
        return awaitPrompt(start + words.length());
    }

    /** All that it has printed up to the prompt that comes after position {@code from}, from there on. */
    private String awaitPrompt(int from) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        synchronized (printed) {
            while (true) {
                int prompt = printed.length() > from ? printed.indexOf(PROMPT, from) : -1;
                if (prompt >= 0) {
                    return printed.substring(from, prompt);
                }
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (ended || left <= 0) {
                    throw failed(ended ? "ended" : "gave no prompt");
                }
                try {
                    printed.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw failed("was not waited for");
                }
            }
        }
    }

    /** The first number of a line that it has printed since the start, or what else the pattern's group has. */
    public static double number(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new DoorbellException("testpmd printed no " + pattern + ", but: " + text.strip());
        }
        return Double.parseDouble(matcher.group(1));
    }

    /** @throws DoorbellException unless it has printed words that this regular expression matches */
    void requirePrinted(String expression, String why) {
        synchronized (printed) {
            if (!Pattern.compile(expression).matcher(printed).find()) {
                throw failed("does not say '" + expression + "': " + why);
            }
        }
    }

    private DoorbellException failed(String how) {
        synchronized (printed) {
            return new DoorbellException("testpmd " + how + "; it was started as\n  " + what + "\nand printed\n"
                    + printed.toString().indent(2));
        }
    }

    @Override
    public void close() {
        try {
            input.write("quit\n");
            input.flush();
            input.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
