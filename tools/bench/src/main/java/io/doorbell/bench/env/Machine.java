package io.doorbell.bench.env;

import io.doorbell.frame.Nic;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the figures were measured on and with. */
public final class Machine {

    private static final Pattern CPU = Pattern.compile("model name\\s*:\\s*(.+)");
    private static final Pattern JAR = Pattern.compile("doorbell-frame-(.+)\\.jar");
    private static final Pattern VERSION = Pattern.compile("\\d+\\.\\d+(\\.\\d+)*");

    private Machine() {}

    /** Names and values, such as {@code CPU} and its model; what is not installed is left out. */
    public static SequencedMap<String, String> describe() {
        SequencedMap<String, String> facts = new LinkedHashMap<>();
        facts.put("CPU", find(CPU, read(Path.of("/proc/cpuinfo")), 1));
        facts.put("cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("JDK", System.getProperty("java.vm.vendor") + " " + Runtime.version());
        facts.put("Doorbell", doorbell());
        facts.put("DPDK", find(VERSION, output("dpdk-testpmd", "-v", "--help"), 0));
        facts.put("QEMU", find(VERSION, output("qemu-system-x86_64", "--version"), 0));
        facts.values().removeIf(String::isEmpty);
        return facts;
    }

    private static String doorbell() {
        URI jar;
        try {
            jar = Nic.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        } catch (java.net.URISyntaxException e) {
            return "";
        }
        String version = find(JAR, jar.toString(), 1);
        String commit = output("git", "-C", System.getProperty("doorbell.home", "."), "rev-parse", "--short", "HEAD");
        return (version + " " + commit.strip()).strip();
    }

    private static String find(Pattern pattern, String text, int group) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? matcher.group(group).strip() : "";
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    /** What a program that ends soon prints; nothing if it is not there. */
    private static String output(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true)
                    .start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
