package io.doorbell.bench.env;

import io.doorbell.DoorbellException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two processors, by the kernel's numbers.
 *
 * @param other for the other end
 * @param own for the side that is measured
 */
public record Cores(int other, int own) {

    private static final String ALLOWED = "Cpus_allowed_list:";

    /** The first and the last that this process may use. */
    public static Cores choose() {
        try {
            List<Integer> allowed = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith(ALLOWED))
                    .map(line -> parse(line.substring(ALLOWED.length()).strip()))
                    .findFirst()
                    .orElseThrow();
            if (allowed.size() < 2) {
                throw new DoorbellException("a comparison needs two processors, one for each end, and this process may"
                        + " use but " + allowed + ": give the machine or the container more");
            }
            return new Cores(allowed.getFirst(), allowed.getLast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of a list such as {@code 0-3,8}. */
    static List<Integer> parse(String list) {
        List<Integer> numbers = new ArrayList<>();
        for (String range : list.split(",", -1)) {
            String[] ends = range.split("-", -1);
            for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                numbers.add(i);
            }
        }
        return numbers;
    }
}
