package io.doorbell.igb.nic;

import static io.doorbell.igb.spec.IgbRegisters.*;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.igb.spec.IgbModel;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts by MSI-X (82576 data sheet, 7.3): a vector for each receive queue, behind the first, which is for the link. They are off, until a thread is about to sleep: an interrupt turns itself off again (EIAM).
 */
final class IgbInterrupts implements RxInterrupts {

    private static final int LINK = 0;
    private static final int FIRST = 1;

    private final RegisterFile registers;
    private final PciFunction function;
    private final IgbModel model;
    private final int queues;
    /** What EITR has 13 bits for. */
    static final int LONGEST_MICROS = 8191;

    private int moderation;

    /** By vector; empty while nobody wants to sleep. Read by any thread. */
    private volatile List<EventFd> events = List.of();

    IgbInterrupts(RegisterFile registers, PciFunction function, IgbModel model, int queues) {
        this.registers = registers;
        this.function = function;
        this.model = model;
        this.queues = queues;
    }

    /** Whether there are enough vectors. */
    boolean exist() {
        return function.interrupts().msix() >= FIRST + queues;
    }

    /** What continues {@code "NIC has no QueueInterrupts: "} where there are not. */
    String whyNot() {
        return "it has " + function.interrupts().msix() + " MSI-X vectors, and " + queues + " queues take "
                + (FIRST + queues)
                + ": open it with fewer (NicConfig.withQueues), or poll and park between polls in vain"
                + " (LockSupport.parkNanos)";
    }

    /** Has the kernel carry them, once somebody wants to sleep; {@link #apply} tells the device. */
    void use() {
        if (events.isEmpty()) {
            events = function.msix(Math.min(function.interrupts().msix(), spare() + 1));
        }
    }

    /** The number of a vector that has no events of its own, and that tests may use; there may be none with it. */
    int spare() {
        return FIRST + queues;
    }

    /** What is signalled by {@link #spare}; null where the device has no such vector. */
    @Nullable
    EventFd spareEvent() {
        if (function.interrupts().msix() <= spare()) {
            return null;
        }
        use();
        return events.get(spare());
    }

    /** Tells the device which vector is whose, as after each reset. Does nothing where nobody wants to sleep. */
    void apply() {
        if (events.isEmpty()) {
            return;
        }
        registers.write(
                GPIE, GPIE_NSICR.mask() | GPIE_MULTIPLE_MSIX.mask() | GPIE_EIAME.mask() | GPIE_PBA_SUPPORT.mask());
        int all = 1 << LINK;
        for (int queue = 0; queue < queues; queue++) {
            all |= bit(queue);
            int shift = model.ivarShift(queue);
            int others = registers.read(IVAR, model.ivar(queue)) & ~(0xff << shift);
            registers.write(IVAR, model.ivar(queue), others | (IVAR_VALID | (FIRST + queue)) << shift);
        }
        registers.write(IVAR_MISC, IVAR_MISC_OTHER_CAUSE.of(IVAR_VALID | LINK));
        for (int queue = 0; queue < queues; queue++) {
            registers.write(EITR, FIRST + queue, EITR_CNT_INGR.mask() | EITR_INTERVAL.of(moderation));
        }
        registers.write(EIAC, all);
        registers.write(EIAM, all);
        registers.write(IMS, ICR_LSC.mask());
        registers.write(EIMS, 1 << LINK); // whoever sleeps on the link asked before the reset
    }

    /** Microseconds between two interrupts of a receive queue, at least; {@link #apply} tells the device. */
    void moderate(int microseconds) {
        moderation = microseconds;
    }

    int moderation() {
        return moderation;
    }

    @Override
    public void enable(int queue) {
        registers.write(EIMS, bit(queue));
        registers.read(STATUS); // which has the write arrive before the ring is looked at
    }

    @Override
    public void disable(int queue) {
        registers.write(EIMC, bit(queue));
    }

    /** Has the device interrupt when its link changes next; what is to be seen of it already may go without. */
    void expectLinkChange() {
        registers.take(ICR, 0); // as long as a cause stands there, the device does not interrupt for it again
        registers.write(EIMS, 1 << LINK);
        registers.read(STATUS); // which has the writes arrive before the link is looked at
    }

    /** What is signalled when the link changes; null before {@link #use}. */
    @Nullable
    EventFd linkEvent() {
        return events.isEmpty() ? null : events.get(LINK);
    }

    private static int bit(int queue) {
        return 1 << (FIRST + queue);
    }

    @Override
    public EventFd event(int queue) {
        return events.get(FIRST + queue);
    }
}
