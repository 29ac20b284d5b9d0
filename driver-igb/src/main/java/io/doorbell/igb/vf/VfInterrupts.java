package io.doorbell.igb.vf;

import static io.doorbell.igb.spec.IgbRegisters.IVAR_VALID;
import static io.doorbell.igb.vf.VfRegisters.EIAC;
import static io.doorbell.igb.vf.VfRegisters.EIAM;
import static io.doorbell.igb.vf.VfRegisters.EIMC;
import static io.doorbell.igb.vf.VfRegisters.EIMS;
import static io.doorbell.igb.vf.VfRegisters.IVAR0;
import static io.doorbell.igb.vf.VfRegisters.IVAR0_RX0;
import static io.doorbell.igb.vf.VfRegisters.IVAR_MISC;
import static io.doorbell.igb.vf.VfRegisters.IVAR_MISC_MAILBOX;
import static io.doorbell.igb.vf.VfRegisters.STATUS;

import io.doorbell.dma.kernel.EventFd;
import io.doorbell.igb.nic.RxInterrupts;
import io.doorbell.igb.spec.RegisterFile;
import io.doorbell.pci.PciFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts by MSI-X: a vector for the mailbox, by which the port tells of its link, and one for the receive queue. They are off,
 * until a thread is about to sleep: an interrupt turns itself off again (EIAM). QEMU takes the vector of the mailbox for a mask, so
 * that the first one never fires: there, the watch over the port finds out.
 */
final class VfInterrupts implements RxInterrupts {

    private static final int MAILBOX = 0;
    private static final int RECEIVE = 1;
    private static final int COUNT = 2;
    private static final int ALL = -1;

    private final RegisterFile registers;
    private final PciFunction function;
    /** By vector; empty while nobody wants to sleep. Read by any thread. */
    private volatile List<EventFd> events = List.of();

    VfInterrupts(RegisterFile registers, PciFunction function) {
        this.registers = registers;
        this.function = function;
    }

    /** Whether there are enough vectors. */
    boolean exist() {
        return function.interrupts().msix() >= COUNT;
    }

    /** What continues {@code "NIC has no QueueInterrupts: "} where there are not. */
    String whyNot() {
        return "it has " + function.interrupts().msix() + " MSI-X vectors and takes " + COUNT
                + ": poll, and park between polls in vain (LockSupport.parkNanos)";
    }

    /** Has the kernel carry them, once somebody wants to sleep; {@link #apply} tells the device. */
    void use() {
        if (events.isEmpty()) {
            events = function.msix(COUNT);
        }
    }

    /** Masks all, as before and after a reset. */
    void mask() {
        registers.write(EIMC, ALL);
    }

    /** Tells the device which vector is whose, as after each reset. Does nothing where nobody wants to sleep. */
    void apply() {
        if (events.isEmpty()) {
            return;
        }
        registers.write(IVAR0, IVAR0_RX0.of(IVAR_VALID | RECEIVE));
        registers.write(IVAR_MISC, IVAR_MISC_MAILBOX.of(IVAR_VALID | MAILBOX));
        int all = (1 << MAILBOX) | (1 << RECEIVE);
        registers.write(EIAC, all);
        registers.write(EIAM, all);
    }

    @Override
    public void enable(int queue) {
        registers.write(EIMS, 1 << RECEIVE);
        registers.read(STATUS); // which has the write arrive before the ring is looked at
    }

    @Override
    public void disable(int queue) {
        registers.write(EIMC, 1 << RECEIVE);
    }

    /** Has the device interrupt when the port says something next. */
    void expectMessage() {
        registers.write(EIMS, 1 << MAILBOX);
        registers.read(STATUS); // which has the write arrive before the mailbox is looked at
    }

    @Override
    public EventFd event(int queue) {
        return events.get(RECEIVE);
    }

    /** What is signalled when the port says something; null before {@link #use}. */
    @Nullable
    EventFd mailboxEvent() {
        return events.isEmpty() ? null : events.get(MAILBOX);
    }
}
