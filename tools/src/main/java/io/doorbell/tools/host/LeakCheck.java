package io.doorbell.tools.host;

import io.doorbell.DoorbellException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What this process holds of NICs: memory for frames and rings, registers, and the files behind them. */
public final class LeakCheck {

    /** How the kernel names them: {@code /memfd:doorbell}, {@code /dev/vfio/12}, {@code anon_inode:[vfio-device]}. */
    private static final Predicate<String> OF_A_NIC =
            Pattern.compile("memfd:doorbell|/dev/vfio|\\[vfio").asPredicate();

    private LeakCheck() {}

    /** Nothing, when every NIC has been closed and no frame pool is open. */
    public static List<String> ofThisProcess() {
        Path process = Path.of("/proc/self");
        try (Stream<String> mappings = Files.lines(process.resolve("maps"));
                Stream<Path> files = Files.list(process.resolve("fd"))) {
            return Stream.concat(mappings, files.map(LeakCheck::target))
                    .filter(OF_A_NIC)
                    .toList();
        } catch (IOException e) {
            throw new DoorbellException("cannot see what this process has open in " + process + ": " + e, e);
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile, as that of the listing itself is
        }
    }
}
