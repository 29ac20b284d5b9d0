package io.doorbell.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads the lines of a file that somebody else is still writing. */
public final class LineReader implements AutoCloseable {

    private final InputStream in;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final byte[] buffer = new byte[8192];
    private int position;
    private int limit;

    public LineReader(Path file) throws IOException {
        in = Files.newInputStream(file);
    }

    /**
     * The next line, or null if there is none yet.
     *
     * @param complete whether nothing more will be written: then the last line needs no end
     */
    @Nullable
    public String next(boolean complete) throws IOException {
        while (true) {
            if (position == limit) {
                position = 0;
                limit = Math.max(0, in.read(buffer));
                if (limit == 0) {
                    return complete && line.size() > 0 ? take() : null;
                }
            }
            byte next = buffer[position++];
            if (next == '\n') {
                return take();
            }
            line.write(next);
        }
    }

    private String take() {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        return text;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
