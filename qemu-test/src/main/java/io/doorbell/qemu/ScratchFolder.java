package io.doorbell.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A folder for sockets and the like, where temporary files go. It is deleted with all that is in it when it is closed, or
 * when the JVM is told to end before.
 */
public final class ScratchFolder implements AutoCloseable {

    private static final Set<ScratchFolder> OPEN = ConcurrentHashMap.newKeySet();
    /** Other processes that end with this JVM may be putting files there still. */
    private static final int TRIES = 20;

    private static final int BETWEEN_TRIES_MILLIS = 50;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(ScratchFolder::deleteAll, "doorbell-scratch"));
    }

    private final Path path;

    private ScratchFolder(Path path) {
        this.path = path;
    }

    /**
     * Makes a folder of its own, so that no file of another user's is in the way.
     *
     * @param prefix what its name begins with
     * @throws QemuException when there is no room for it
     */
    public static ScratchFolder create(String prefix) {
        try {
            ScratchFolder folder = new ScratchFolder(Files.createTempDirectory(prefix));
            OPEN.add(folder);
            return folder;
        } catch (IOException e) {
            throw new QemuException("cannot create a folder for temporary files: " + e, e);
        }
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** A file in it. */
    public Path file(String name) {
        return path.resolve(name);
    }

    /** Leaves it to whoever was told where it is. */
    public void keep() {
        OPEN.remove(this);
    }

    /** Does nothing to a folder that is kept. */
    @Override
    public void close() {
        if (OPEN.remove(this)) {
            try {
                delete();
            } catch (IOException e) {
                throw new QemuException("cannot delete " + path + ": " + e, e);
            }
        }
    }

    private void delete() throws IOException {
        if (Files.notExists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static void deleteAll() {
        for (ScratchFolder folder : OPEN) {
            folder.deleteInTheEnd();
        }
    }

    private void deleteInTheEnd() {
        for (int i = 0; i < TRIES; i++) {
            try {
                delete();
                return;
            } catch (IOException | RuntimeException e) {
                try {
                    Thread.sleep(BETWEEN_TRIES_MILLIS);
                } catch (InterruptedException interrupted) {
                    return;
                }
            }
        }
    }
}
