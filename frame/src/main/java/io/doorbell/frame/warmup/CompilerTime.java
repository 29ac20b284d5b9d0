package io.doorbell.frame.warmup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * How long the JIT's threads have been running, in nanoseconds: what Linux knows of them. The JVM's own figure
 * ({@code CompilationMXBean}) counts a method when it is done, and so is quiet while the largest is being compiled.
 */
final class CompilerTime implements LongSupplier {

    private static final Path THREADS = Path.of("/proc/self/task");
    /** In the names of all such threads; the kernel keeps 15 characters of a name. */
    private static final String NAME = "CompilerT";

    @Override
    public long getAsLong() {
        long nanos = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
            for (Path thread : threads) {
                if (Files.readString(thread.resolve("comm")).contains(NAME)) {
                    String[] numbers =
                            Files.readString(thread.resolve("schedstat")).split(" ", 2);
                    nanos += Long.parseLong(numbers[0]);
                }
            }
            return nanos;
        } catch (IOException e) {
            // A thread has just ended; or the kernel does not count (CONFIG_SCHED_INFO). As if they never rested.
            return System.nanoTime();
        }
    }
}
