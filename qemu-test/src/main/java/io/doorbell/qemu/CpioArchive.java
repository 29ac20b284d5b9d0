package io.doorbell.qemu;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes an archive as the kernel unpacks it for its first root file system: cpio's "newc" format, where every number is
 * eight hexadecimal digits and every header and content starts at a multiple of four bytes.
 */
final class CpioArchive implements AutoCloseable {

    private static final int REGULAR = 0100000;
    private static final int FOLDER = 0040000;

    private final OutputStream out;
    private long written;
    private int inode;

    /** Owns {@code out} from now on. */
    CpioArchive(OutputStream out) {
        this.out = out;
    }

    /** Adds a folder; the folders above it have to be there already. */
    void folder(String path) throws IOException {
        entry(path, FOLDER | 0755, new byte[0]);
    }

    void executable(String path, byte[] content) throws IOException {
        entry(path, REGULAR | 0755, content);
    }

    private void entry(String path, int mode, byte[] content) throws IOException {
        byte[] name = (path + "\0").getBytes(StandardCharsets.UTF_8);
        int owner = 0;
        int links = 1;
        int modified = 0;
        int device = 0;
        int checksum = 0;
        int[] header = {
            ++inode,
            mode,
            owner,
            owner,
            links,
            modified,
            content.length,
            device,
            device,
            device,
            device,
            name.length,
            checksum
        };
        StringBuilder text = new StringBuilder("070701");
        for (int field : header) {
            text.append("%08X".formatted(field));
        }
        write(text.toString().getBytes(StandardCharsets.US_ASCII));
        write(name);
        pad();
        write(content);
        pad();
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void pad() throws IOException {
        write(new byte[(int) (-written & 3)]);
    }

    @Override
    public void close() throws IOException {
        try (out) {
            entry("TRAILER!!!", 0, new byte[0]);
        }
    }
}
