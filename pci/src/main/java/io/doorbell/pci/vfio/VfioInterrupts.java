package io.doorbell.pci.vfio;

import io.doorbell.DoorbellException;
import io.doorbell.dma.cleanup.Cleanup;
import io.doorbell.dma.kernel.EventFd;
import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** The MSI-X vectors of a function, each of which the kernel has signal an event counter. */
final class VfioInterrupts implements AutoCloseable {

    /** {@code VFIO_PCI_MSIX_IRQ_INDEX}. */
    private static final int MSIX = 2;

    // VFIO_IRQ_SET_DATA_NONE and so on
    private static final int DATA_NONE = 1;
    private static final int DATA_EVENTFD = 1 << 2;
    private static final int ACTION_TRIGGER = 1 << 5;

    private final Kernel kernel;
    private final int fd;
    private final String function;
    private final List<EventFd> events = new ArrayList<>();

    VfioInterrupts(Kernel kernel, int fd, String function) {
        this.kernel = kernel;
        this.fd = fd;
        this.function = function;
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
                set(DATA_EVENTFD, descriptors);
                return this;
            });
        }
        return List.copyOf(events.subList(0, count));
    }

    private void set(int data, int... descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct.of(arena, VfioStruct.IRQ_SET)
                    .u32("flags", data | ACTION_TRIGGER)
                    .u32("index", MSIX)
                    .u32("count", descriptors.length)
                    .with(arena, descriptors)
                    .call(kernel, fd, VfioIoctl.VFIO_DEVICE_SET_IRQS, function + " count=" + descriptors.length);
        }
    }

    /** Turns them off. */
    @Override
    public void close() {
        if (!events.isEmpty()) {
            try {
                set(DATA_NONE);
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
