package io.doorbell.frame.spi;

import io.doorbell.frame.NicClosedException;
import io.doorbell.frame.NicRemovedException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Whether a NIC can be used still, and if not, why: it was closed, or its device was removed. Thread-safe. */
public final class NicLife {

    private static final String CLOSED = "";

    private final String nic;
    /** Why it is over; null as long as it is not. */
    private final AtomicReference<@Nullable String> end = new AtomicReference<>();

    /**
     * That of a NIC which is open.
     *
     * @param nic its name
     */
    public NicLife(String nic) {
        this.nic = nic;
    }

    /** The NIC is closed from here on; false when it was over already. */
    public boolean close() {
        return end.compareAndSet(null, CLOSED);
    }

    /**
     * The NIC is gone from here on; false when it was over already.
     *
     * @param why what continues {@code "the NIC was removed: "}
     */
    public boolean remove(String why) {
        return end.compareAndSet(null, why);
    }

    /** Whether it was closed or removed. */
    public boolean isOver() {
        return end.get() != null;
    }

    /**
     * Returns as long as it is neither closed nor removed.
     *
     * @throws NicClosedException when it was closed
     * @throws NicRemovedException when it was removed
     */
    public void checkOpen() {
        if (isOver()) {
            throw over(nic);
        }
    }

    /**
     * What to throw once it is over.
     *
     * @param what cannot be used therefore, such as a queue
     */
    public RuntimeException over(String what) {
        String why = end.get();
        return why == null || why.equals(CLOSED)
                ? new NicClosedException(what)
                : new NicRemovedException(
                        what + " was removed: " + why + ". It is closed: open it again once the device is back");
    }
}
