package io.doorbell.bench.env;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * One end of what {@link CoreDistance} measures, in a JVM of its own, with memory that it shares with the other end.
 * {@code ping} passes a number to and fro, and answers with the nanoseconds that it took; {@code pong} passes it back.
 */
final class DistanceEnd {

    private static final int ROUNDS = 100;
    private static final int TRIPS = 100;
    /** Some seconds: the other end may not be there any more. */
    private static final long MOST_POLLS = 10_000_000_000L;

    /** Acquire and release, as with descriptor rings: whoever sees a number sees what was written before it. */
    private static final VarHandle NUMBER = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment shared;
    private long last; // number that was passed

    private DistanceEnd(MemorySegment shared) {
        this.shared = shared;
    }

    public static void main(String[] arguments) throws IOException {
        try (FileChannel file =
                FileChannel.open(Path.of(arguments[0]), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            new DistanceEnd(file.map(FileChannel.MapMode.READ_WRITE, 0, CoreDistance.LINE, Arena.global()))
                    .serve(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
    }

    private void serve(BufferedReader input) throws IOException {
        String line;
        while ((line = input.readLine()) != null) {
            if (line.equals("ping")) {
                System.out.println(ping());
            } else {
                pong();
                System.out.println("done");
            }
        }
    }

    /** The median over rounds, of which some may have been interrupted, in nanoseconds a trip there and back. */
    private double ping() {
        double[] nanos = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            last = ping(shared, last);
            nanos[round] = (double) (System.nanoTime() - start) / TRIPS;
        }
        Arrays.sort(nanos);
        return nanos[ROUNDS / 2];
    }

    private void pong() {
        for (int round = 0; round < ROUNDS; round++) {
            last = pong(shared, last);
        }
    }

    /** Odd numbers go there, even ones come back. */
    private static long ping(MemorySegment line, long last) {
        long number = last;
        for (int trip = 0; trip < TRIPS; trip++) {
            NUMBER.setRelease(line, 0L, number + 1);
            number += 2;
            await(line, number);
        }
        return number;
    }

    private static long pong(MemorySegment line, long last) {
        long number = last;
        for (int trip = 0; trip < TRIPS; trip++) {
            await(line, number + 1);
            number += 2;
            NUMBER.setRelease(line, 0L, number);
        }
        return number;
    }

    /** Without pauses, which would be measured too. */
    private static void await(MemorySegment line, long number) {
        long polls = 0;
        while ((long) NUMBER.getAcquire(line, 0L) != number) {
            if (++polls > MOST_POLLS) {
                throw new IllegalStateException("the other end does not answer");
            }
        }
    }
}
