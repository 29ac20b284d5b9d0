package io.doorbell.pci.vfio;

import io.doorbell.dma.kernel.Kernel;
import java.lang.foreign.Arena;

/**
 * {@code VFIO_DEVICE_SET_IRQS}: which event counters the kernel signals for one kind of a function's interrupts.
 *
 * @param kind such as {@link #MSIX}
 * @param function whose descriptor {@code fd} is, for messages
 */
record IrqSet(Kernel kernel, int fd, int kind, String function) {

    /** {@code VFIO_PCI_MSIX_IRQ_INDEX} and so on. */
    static final int MSIX = 2;

    static final int ERROR = 3;
    static final int REQUEST = 4;

    // VFIO_IRQ_SET_DATA_NONE and so on
    private static final int DATA_NONE = 1;
    private static final int DATA_EVENTFD = 1 << 2;
    private static final int ACTION_TRIGGER = 1 << 5;

    /** Has the kernel signal a counter each, from the first interrupt of this kind on. */
    void signal(int... descriptors) {
        set(DATA_EVENTFD, descriptors);
    }

    /** Turns all of this kind off. */
    void off() {
        set(DATA_NONE);
    }

    private void set(int data, int... descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            VfioStruct.of(arena, VfioStruct.IRQ_SET)
                    .u32("flags", data | ACTION_TRIGGER)
                    .u32("index", kind)
                    .u32("count", descriptors.length)
                    .with(arena, descriptors)
                    .call(
                            kernel,
                            fd,
                            VfioIoctl.VFIO_DEVICE_SET_IRQS,
                            function + " index=" + kind + " count=" + descriptors.length);
        }
    }
}
