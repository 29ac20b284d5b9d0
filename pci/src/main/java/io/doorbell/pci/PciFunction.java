package io.doorbell.pci;

import io.doorbell.DoorbellException;
import io.doorbell.dma.DmaSpace;
import io.doorbell.dma.kernel.EventFd;
import java.util.List;
import java.util.function.Consumer;

/**
 * A PCI function that this process has taken for itself. Closing it leaves the function quiet: bus mastering off and
 * reset before its DMA memory goes away. Not for use by several threads at a time, except for its {@link Bar}s.
 */
public interface PciFunction extends AutoCloseable {

    PciAddress address();

    PciId id();

    /** Configuration space; the same object at each call. */
    ConfigSpace config();

    /**
     * The BAR with this number, mapped at the first call; the same object at each call.
     *
     * @param number 0 to 5
     * @throws io.doorbell.DoorbellException when the function has no such BAR
     */
    Bar bar(int number);

    /** What the function can reach by DMA. */
    DmaSpace dma();

    /** How the function can interrupt. */
    InterruptInfo interrupts();

    /**
     * Has MSI-X vectors, from number 0 on, signal event counters. The kernel sees to the vectors' table; which event of the
     * device uses which vector is the driver's to set up. They last until the function is closed, also through resets.
     *
     * @param count at least 1; with a second call, not more than with the first
     * @return a counter each, which is closed with the function
     * @throws DoorbellException when the function has fewer ({@link #interrupts}), or the way to it carries none
     */
    default List<EventFd> msix(int count) {
        throw new DoorbellException(address() + " is not opened by a way that carries interrupts: bind it to vfio-pci");
    }

    /**
     * Has {@code listener} run, once, when the function is lost: the kernel wants it back, since it is being unplugged or
     * unbound from its driver, or it has failed. It is told which, in words. It runs on a thread of the function's own, and
     * not once the function is closed. The kernel waits until the function is closed, by the listener or by others.
     *
     * <p>Where the way to the function tells of no such thing, the listener never runs. There is one at most.
     */
    default void onLoss(Consumer<String> listener) {}

    /**
     * Resets the function: its registers are as after power-on, and bus mastering is off. What it had been told of
     * rings is forgotten.
     *
     * @return false when the function has no reset of its own; the driver's own reset is all there is then
     */
    boolean reset();

    /** Bus mastering off, reset, DMA memory and mappings released, in that order. A second call does nothing. */
    @Override
    void close();
}
