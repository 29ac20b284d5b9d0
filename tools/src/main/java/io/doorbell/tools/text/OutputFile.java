package io.doorbell.tools.text;

import io.doorbell.DoorbellException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that a person has named for a result. */
public final class OutputFile {

    private OutputFile() {}

    /**
     * Looks before the work is done that would be lost otherwise.
     *
     * @param option by which the file was named
     * @throws DoorbellException when it cannot be written
     */
    public static void requireWritable(Path file, String option) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        boolean writable = Files.exists(file)
                ? Files.isRegularFile(file) && Files.isWritable(file)
                : folder != null && Files.isDirectory(folder) && Files.isWritable(folder);
        if (!writable) {
            throw new DoorbellException("cannot write " + file + ": name a file that can be written with " + option);
        }
    }
}
