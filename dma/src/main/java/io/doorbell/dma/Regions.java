package io.doorbell.dma;

import io.doorbell.dma.cleanup.Cleanup;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The open regions of a space. Each ends once: by its own close or by the space's, whichever has the lock first. The
 * other one finds nothing left to do, and never goes on before the region has ended.
 */
final class Regions {

    private final Object lock;
    private final Map<DmaRegion, Runnable> open = new LinkedHashMap<>();

    /** @param lock held by whoever calls anything here; a region that is closed takes it */
    Regions(Object lock) {
        this.lock = lock;
    }

    /** @param end takes the memory from the device and frees what is to be freed; holds the lock */
    DmaRegion add(MemorySegment memory, long deviceAddress, long pageSize, Runnable end) {
        DmaRegion[] self = new DmaRegion[1];
        self[0] = new DmaRegion(memory, deviceAddress, pageSize, () -> end(self[0]));
        open.put(self[0], end);
        return self[0];
    }

    /** In the order in which they were made. */
    Set<DmaRegion> all() {
        return open.keySet();
    }

    private void end(DmaRegion region) {
        synchronized (lock) {
            Runnable end = open.remove(region);
            if (end != null) {
                end.run();
            }
        }
    }

    /** Ends all, the newest first, whatever becomes of the others; throws the first failure. */
    void endAll() {
        Cleanup cleanup = new Cleanup();
        for (DmaRegion region : List.copyOf(open.keySet()).reversed()) {
            cleanup.then(() -> end(region));
        }
        cleanup.end();
    }
}
