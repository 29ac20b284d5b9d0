package io.doorbell.qemu.guest;

import java.util.List;
import java.util.stream.Collectors;

/** Words as a POSIX shell reads them. */
final class ShellWords {

    private ShellWords() {}

    /** One word, whatever characters it has. */
    static String quote(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    static String quote(List<String> words) {
        return words.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
    }
}
