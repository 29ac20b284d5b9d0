package io.doorbell.dma.kernel;

import io.doorbell.DoorbellException;
import jnr.constants.platform.Errno;

/** A system call that failed: which one, its errno, and the arguments that matter. */
public final class KernelException extends DoorbellException {
    private static final long serialVersionUID = 1L;

    private final int number;
    private final String facts;

    /**
     * Says which call failed and how.
     *
     * @param call the system call or ioctl as its manual names it, such as {@code VFIO_IOMMU_MAP_DMA}
     * @param errno the number, as the kernel gave it
     * @param facts its arguments in words, such as {@code iova=0x100000 size=2 MiB}; may be empty
     */
    public KernelException(String call, int errno, String facts) {
        super(call + " failed: " + describe(errno) + (facts.isEmpty() ? "" : ", " + facts));
        this.number = errno;
        this.facts = facts;
    }

    public KernelException(String call, Errno errno, String facts) {
        this(call, errno.intValue(), facts);
    }

    /** The same failure of a call that has a better name: the ioctl's own, where the seam knows a number only. */
    public KernelException named(String call, String facts) {
        KernelException named = new KernelException(call, number, facts.isEmpty() ? this.facts : facts);
        named.initCause(this);
        return named;
    }

    /** The error; {@code __UNKNOWN_CONSTANT__} where jnr-constants has no name for it. */
    public Errno errno() {
        return Errno.valueOf(number);
    }

    /** The error as a number, which every error has. */
    public int number() {
        return number;
    }

    /** What went wrong in the C library's words, such as {@code EBUSY (Device or resource busy)}. */
    public String reason() {
        return describe(number);
    }

    private static String describe(int number) {
        Errno errno = Errno.valueOf(number);
        return errno == Errno.__UNKNOWN_CONSTANT__
                ? "errno " + number
                : errno.name() + " (" + errno.description() + ")";
    }
}
