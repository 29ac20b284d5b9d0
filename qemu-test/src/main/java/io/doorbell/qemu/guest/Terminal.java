package io.doorbell.qemu.guest;

import io.doorbell.qemu.QemuException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The terminal that this JVM was started from, lent to a guest's console. QEMU sets it to raw; closing restores it,
 * however QEMU ended.
 */
final class Terminal implements AutoCloseable {

    private static final File TTY = new File("/dev/tty");

    private final String state;
    private final int rows;
    private final int columns;

    private Terminal(String state, String size) {
        this.state = state;
        String[] rowsAndColumns = size.split(" ", 2);
        rows = Integer.parseInt(rowsAndColumns[0]);
        columns = Integer.parseInt(rowsAndColumns[1]);
    }

    static Terminal take() {
        try {
            return new Terminal(stty("-g"), stty("size"));
        } catch (IOException e) {
            throw new QemuException("a shell in the guest needs a terminal, and there is none: " + e.getMessage(), e);
        }
    }

    int rows() {
        return rows;
    }

    int columns() {
        return columns;
    }

    @Override
    public void close() {
        try {
            stty(state);
        } catch (IOException e) {
            throw new QemuException("cannot restore the terminal; 'stty sane' does: " + e.getMessage(), e);
        }
    }

    private static String stty(String argument) throws IOException {
        List<String> command = new ArrayList<>(List.of("stty", argument));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(TTY)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(answer);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return answer;
    }
}
