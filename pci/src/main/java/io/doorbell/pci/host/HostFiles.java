package io.doorbell.pci.host;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reading sysfs and procfs: a file that is not there, or that the kernel refuses to answer in the device's present
 * state, is no error but an unknown value.
 */
public final class HostFiles {

    private HostFiles() {}

    /** The file's text without white space around it; empty where there is none. */
    public static Optional<String> text(Path file) {
        try {
            String text = Files.readString(file).strip();
            return text.isEmpty() ? Optional.empty() : Optional.of(text);
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** The number in the file, decimal or with {@code 0x}. */
    public static Optional<Long> number(Path file) {
        return text(file).flatMap(HostFiles::parse);
    }

    private static Optional<Long> parse(String text) {
        try {
            return Optional.of(Long.decode(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The lines of the file; none where there is no file. */
    public static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException gone) {
            return List.of();
        }
    }

    /** The last name in a symbolic link's target, as {@code igb} in {@code driver -> ../../../bus/pci/drivers/igb}. */
    public static Optional<String> linkName(Path link) {
        return target(link).map(Path::getFileName).map(Path::toString);
    }

    /** A symbolic link's target as it is written. */
    public static Optional<Path> target(Path link) {
        try {
            return Optional.of(Files.readSymbolicLink(link));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** What the directory holds that matches the glob pattern, by name; nothing where there is no directory. */
    public static List<Path> list(Path directory, String glob) {
        try {
            return listOrFail(directory, glob);
        } catch (IOException gone) {
            return List.of();
        }
    }

    /**
     * The same, for those to whom not knowing is not nothing.
     *
     * @throws java.nio.file.NoSuchFileException where there is no directory
     */
    public static List<Path> listOrFail(Path directory, String glob) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, glob)) {
            stream.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        found.sort(null);
        return found;
    }
}
