package io.doorbell.bench.scenario;

import com.fasterxml.jackson.jr.ob.JSON;
import io.doorbell.DoorbellException;
import io.doorbell.bench.driver.DriverBenchmark;
import io.doorbell.bench.result.Row;
import io.doorbell.bench.result.Subject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The drivers alone: JMH measures what a frame costs in them, with their pool, when the device costs nothing. Each row is
 * a time and not a ratio, since there is nobody to compare with: the peer is {@code none}, and takes 1 ns.
 *
 * <p>The device is simulated by the thread that drives, between calls of the driver. What it costs is measured by itself,
 * with the same ring, and is subtracted.
 */
final class DriverScenario implements Scenario {

    private static final String BENCHMARK = DriverBenchmark.class.getName() + ".";
    /** Behind the name of a benchmark: the same without the driver. */
    private static final String DEVICE = "Device";

    private static final List<String> WORKLOADS = List.of("receive", "send", "forward");
    private static final int PAIRS_PER_JVM = 5;
    private static final Duration PATIENCE = Duration.ofHours(1);

    private final int size;

    /** @param size entries in each ring */
    DriverScenario(int size) {
        this.size = size;
    }

    /** What was measured of one method: nanoseconds a call in each window, bytes allocated a call. */
    private record Measured(List<Double> nanos, double bytes) {}

    @Override
    public String name() {
        return "driver-" + size;
    }

    @Override
    public String description() {
        return "the drivers alone, in nanoseconds a frame, over rings of " + size
                + " entries whose device costs nothing";
    }

    @Override
    public void run(Bench bench) {
        bench.steps().begin("the drivers alone, rings of " + size + ", by JMH");
        Map<String, Measured> results = measure(bench);
        bench.steps().done("");
        for (String ring : List.of("igb", "split", "packed")) {
            for (String workload : WORKLOADS) {
                for (int batch : batches(bench)) {
                    bench.add(row(results, ring, workload, batch));
                }
            }
        }
    }

    private static int[] batches(Bench bench) {
        return bench.quick() ? new int[] {32} : new int[] {1, 8, 32, 256};
    }

    private Row row(Map<String, Measured> results, String ring, String workload, int batch) {
        int frames = Math.min(batch, size / 2); // as DriverBenchmark has it
        String where = " " + ring + " " + batch;
        Measured both = Objects.requireNonNull(results.get(workload + where));
        double device = median(Objects.requireNonNull(results.get(workload + DEVICE + where)).nanos);
        List<Row.Pair> pairs = both.nanos.stream()
                .map(nanos -> new Row.Pair((nanos - device) / frames, 1))
                .toList();
        Subject subject = new Subject(
                name() + "-" + workload,
                ring + ", batches of " + batch,
                Subject.NOBODY,
                "ns/frame",
                false,
                "frames of 60 bytes, one touch of each one's header, buffers from the pool and back to it; what the"
                        + " device's part costs, simulated by the same thread, is subtracted");
        return Row.of(subject, pairs).with("bytes/frame", both.bytes / frames);
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    /** Has JMH run in a JVM of its own; the results by method, ring and batch. */
    private Map<String, Measured> measure(Bench bench) {
        String classPath = System.getProperty("java.class.path");
        Path json = null;
        Path log = null;
        try {
            json = Files.createTempFile("doorbell-jmh", ".json");
            log = Files.createTempFile("doorbell-jmh", ".log");
            run(command(bench, classPath, json), log);
            return parse(Files.readString(json));
        } catch (IOException e) {
            throw new DoorbellException("cannot run JMH: " + e.getMessage(), e);
        } finally {
            delete(json);
            delete(log);
        }
    }

    private List<String> command(Bench bench, String classPath, Path json) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String options = "--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow";
        List<String> command = new ArrayList<>(List.of(java, "--sun-misc-unsafe-memory-access=allow", "-cp"));
        command.add(classPath);
        command.addAll(List.of("org.openjdk.jmh.Main", BENCHMARK.replace(".", "\\."), "-jvmArgs", options));
        command.addAll(List.of("-prof", "gc", "-rf", "json", "-rff", json.toString()));
        command.addAll(List.of("-p", "size=" + size, "-p", "batch=" + join(batches(bench))));
        int jvms = Math.max(1, bench.pairs() / PAIRS_PER_JVM);
        command.addAll(List.of("-f", String.valueOf(jvms), "-i", String.valueOf(PAIRS_PER_JVM), "-r", "60ms"));
        command.addAll(bench.quick() ? List.of("-wi", "2", "-w", "50ms") : List.of("-wi", "3", "-w", "100ms"));
        return command;
    }

    private static String join(int[] values) {
        StringBuilder text = new StringBuilder();
        for (int value : values) {
            text.append(text.isEmpty() ? "" : ",").append(value);
        }
        return text.toString();
    }

    private static void run(List<String> command, Path log) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (!ended || process.exitValue() != 0) {
                throw new DoorbellException("JMH " + (ended ? "failed" : "did not end") + "; it was started as\n  "
                        + String.join(" ", command) + "\nand printed\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DoorbellException("interrupted while JMH measured", e);
        } finally {
            process.destroyForcibly();
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Measured> parse(String json) throws IOException {
        Map<String, Measured> results = new HashMap<>();
        for (Object each : JSON.std.listFrom(json)) {
            Map<String, Object> result = (Map<String, Object>) each;
            Map<String, String> parameters = (Map<String, String>) part(result, "params");
            String method = part(result, "benchmark").toString().substring(BENCHMARK.length());
            String key = method + " " + parameters.get("ring") + " " + parameters.get("batch");
            Map<String, Object> more = (Map<String, Object>) part(result, "secondaryMetrics");
            // The least of all windows: in the others JMH itself and the compilers have allocated besides.
            double bytes = windows(part(more, "gc.alloc.rate.norm")).stream()
                    .mapToDouble(Double::doubleValue)
                    .min()
                    .orElseThrow();
            results.put(key, new Measured(windows(part(result, "primaryMetric")), bytes));
        }
        return results;
    }

    /** The figure of each window, of all JVMs. */
    @SuppressWarnings("unchecked")
    private static List<Double> windows(Object metric) {
        List<List<Number>> byJvm = (List<List<Number>>) part((Map<String, Object>) metric, "rawData");
        return byJvm.stream().flatMap(List::stream).map(Number::doubleValue).toList();
    }

    private static Object part(Map<String, Object> object, String name) {
        return Objects.requireNonNull(object.get(name), name);
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new DoorbellException("cannot delete " + file + ": " + e.getMessage(), e);
        }
    }
}
