package io.doorbell.bench.env;

import io.doorbell.dma.HugePages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Hugepages taken from the machine for a while, where that may be done; given back at the end. */
public final class HugePageReservation implements AutoCloseable {

    private static final Path COUNT = Path.of("/proc/sys/vm/nr_hugepages");

    private final long before;
    private final Thread hook = new Thread(this::giveBack);
    /** Whether there are as many as were asked for. */
    public final boolean granted;

    /** Sees to it that {@code bytes} of hugepages are free, if that is possible. */
    public HugePageReservation(long bytes) {
        HugePages now = HugePages.now();
        long wanted = (bytes + HugePages.SIZE - 1) / HugePages.SIZE;
        before = now.total();
        Runtime.getRuntime().addShutdownHook(hook);
        if (now.free() < wanted) {
            set(before + wanted - now.free());
        }
        granted = HugePages.now().free() >= wanted;
        if (!granted) {
            giveBack();
        }
    }

    private static boolean set(long pages) {
        try {
            Files.writeString(COUNT, pages + "\n");
            return true;
        } catch (IOException e) {
            return false; // not root, or a container: then nobody gets any
        }
    }

    private void giveBack() {
        if (HugePages.now().total() != before) {
            set(before);
        }
    }

    @Override
    public void close() {
        giveBack();
        Runtime.getRuntime().removeShutdownHook(hook);
    }
}
