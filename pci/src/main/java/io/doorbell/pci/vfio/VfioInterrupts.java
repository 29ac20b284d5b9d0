package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import java.util.ArrayList;
import java.util.List;

/** The MSI-X vectors of a function, each of which the kernel has signal an event counter. */
final class VfioInterrupts implements AutoCloseable {

    private final Kernel kernel;
    private final String function;
    private final IrqSet irqs;
    private final List<EventFd> events = new ArrayList<>();

    VfioInterrupts(Kernel kernel, int fd, String function) {
        this.kernel = kernel;
        this.function = function;
        this.irqs = new IrqSet(kernel, fd, IrqSet.MSIX, function);
    }

    /**
     * Turns so many vectors on; all together, since those that are on can only be added to by turning them off.
     *
     * @param most that the function has
     */
    List<EventFd> enable(int count, int most) {
        if (count < 1 || count > most || (count > events.size() && !events.isEmpty())) {
            throw new DoorbellException(function + " has " + most + " MSI-X vectors, "
                    + (events.isEmpty() ? "none" : String.valueOf(events.size())) + " of which are in use, and "
                    + count + " are asked for: use fewer queues, or poll");
        }
        if (events.isEmpty()) {
            int[] descriptors = new int[count];
            for (int i = 0; i < count; i++) {
                EventFd event = EventFd.create(kernel);
                events.add(event);
                descriptors[i] = event.fd();
            }
            Cleanup.onFailure(this::closeEvents, () -> {
                irqs.signal(descriptors);
                return this;
            });
        }
        return List.copyOf(events.subList(0, count));
    }

    /** Turns them off. */
    @Override
    public void close() {
        if (!events.isEmpty()) {
            try {
                irqs.off();
            } finally {
                closeEvents();
            }
        }
    }

    private void closeEvents() {
        events.forEach(EventFd::close);
        events.clear();
    }
}
