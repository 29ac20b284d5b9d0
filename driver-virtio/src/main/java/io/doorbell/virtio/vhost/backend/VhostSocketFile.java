package io.doorbell.virtio.vhost.backend;

import io.doorbell.DoorbellException;
import io.doorbell.dma.kernel.Kernel;
import io.doorbell.dma.kernel.KernelException;
import io.doorbell.dma.kernel.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import jnr.constants.platform.Errno;
import org.jspecify.annotations.Nullable;

/** A socket that listens, and the file that it listens at, which goes away with it. */
final class VhostSocketFile implements AutoCloseable {

    private final Path path;
    private final UnixSocket socket;
    private final @Nullable Object identity;

    private VhostSocketFile(Path path, UnixSocket socket) {
        this.path = path;
        this.socket = socket;
        this.identity = identity(path);
    }

    /**
     * Listens at a path. A socket that was left there by a process that has ended is replaced.
     *
     * @throws DoorbellException when somebody listens there, something else is there, or nothing can be put there
     */
    static VhostSocketFile listen(Kernel kernel, String path) {
        try {
            return new VhostSocketFile(Path.of(path), UnixSocket.listen(kernel, path));
        } catch (KernelException e) {
            if (e.errno() != Errno.EADDRINUSE) {
                throw cannot(path, e.reason() + wayOut(e.errno()), e);
            }
        }
        removeStale(kernel, path);
        try {
            return new VhostSocketFile(Path.of(path), UnixSocket.listen(kernel, path));
        } catch (KernelException e) {
            throw cannot(path, e.reason(), e);
        }
    }

    private static String wayOut(Errno errno) {
        return switch (errno) {
            case ENOENT -> "; create its folder, or choose another path";
            case EACCES -> "; choose a path in a folder that this user may write to";
            case ENAMETOOLONG -> "; the path of a socket has up to 107 bytes";
            default -> "";
        };
    }

    private static void removeStale(Kernel kernel, String path) {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(Path.of(path), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isOther()) {
                throw cannot(path, "there is a file already, which is no socket; choose another path", null);
            }
            try (UnixSocket _ = UnixSocket.connect(kernel, path)) {
                throw cannot(path, "a process listens there already; end it, or choose another path", null);
            } catch (KernelException e) {
                if (e.errno() != Errno.ECONNREFUSED) {
                    throw cannot(path, e.reason(), e);
                }
            }
            Files.delete(Path.of(path));
        } catch (IOException e) {
            throw cannot(path, "the socket there is nobody's, and cannot be removed: " + e, e);
        }
    }

    private static DoorbellException cannot(String path, String why, @Nullable Throwable cause) {
        return new DoorbellException("cannot listen at " + path + ": " + why, cause);
    }

    private static @Nullable Object identity(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (IOException e) {
            return null; // somebody has removed it already
        }
    }

    UnixSocket socket() {
        return socket;
    }

    /** Stops listening. The file goes too, unless another one has taken its place meanwhile. */
    @Override
    public void close() {
        try {
            if (identity != null && Objects.equals(identity, identity(path))) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new DoorbellException("cannot remove the socket " + path + ": " + e, e);
        } finally {
            socket.close();
        }
    }
}
