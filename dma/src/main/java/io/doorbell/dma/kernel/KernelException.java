package io.doorbell.dma.kernel;

import io.doorbell.dma.DoorbellException;
import jnr.constants.platform.Errno;

/** A system call that failed: which one, its errno, and the arguments that matter. */
public final class KernelException extends DoorbellException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /**
     * Says which call failed and how.
     *
     * @param call the system call or ioctl as its manual names it, such as {@code VFIO_IOMMU_MAP_DMA}
     * @param facts its arguments in words, such as {@code iova=0x100000 size=2 MiB}; may be empty
     */
    public KernelException(String call, Errno errno, String facts) {
        super(call + " failed: " + errno.name() + " (" + errno.description() + ")"
                + (facts.isEmpty() ? "" : ", " + facts));
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }
}
